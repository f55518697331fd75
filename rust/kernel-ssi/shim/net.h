/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel TCP sockets for the transport; addresses and ports in host byte order. */
#ifndef SSI_SHIM_NET_H
#define SSI_SHIM_NET_H

#include <linux/types.h>

struct socket;

int ssi_net_listen(u32 address, u16 port, int backlog, struct socket **out);
int ssi_net_accept(struct socket *listener, struct socket **out);
int ssi_net_connect(u32 from, u32 address, u16 port, u32 timeout_ms, struct socket **out);
int ssi_net_send(struct socket *sock, const void *data, size_t len, u32 timeout_ms);
int ssi_net_recv(struct socket *sock, void *data, size_t len, u32 timeout_ms);
void ssi_net_shutdown(struct socket *sock);
void ssi_net_release(struct socket *sock);

#endif
