// SPDX-License-Identifier: GPL-2.0
/*
 * usage: crowd NUMBER
 *
 * Many clients that wait for a token and then hold it. They end with the first of
 * them, which is the process that was started.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int number = argc == 2 ? atoi(argv[1]) : 0;
	char token;

	for (int i = 1; i < number; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			break;
		}
	}
	if (read(open("/dev/steve", O_RDONLY), &token, 1) != 1)
		return 1;
	pause();
	return 0;
}
