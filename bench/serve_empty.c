/* serve_empty - libmicrohttpd with a handler that does nothing: the ceiling of lh-serve.
 *     serve_empty PORT */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result on_request(void *response, struct MHD_Connection *conn, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *n, void **seen)
{
	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	if (!*seen || *n) {
		*seen = response;
		*n = 0;
		return MHD_YES;
	}
	return MHD_queue_response(conn, 200, response);
}

int main(int argc, char **argv)
{
	static char body[] = "{}";
	struct MHD_Response *response =
		MHD_create_response_from_buffer(2, body, MHD_RESPMEM_PERSISTENT);
	struct MHD_Daemon *d =
		MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD,
				 argc > 1 ? (unsigned short)strtoul(argv[1], NULL, 10) : 0, NULL,
				 NULL, on_request, response, MHD_OPTION_END);

	if (!d)
		return 1;
	pause();
	return 0;
}
