// SPDX-License-Identifier: GPL-2.0
//! Connections between nodes: messages, a reader and a sender thread for each.
//!
//! Messages stand back to back, each as long as its header says. What they mean is the core's
//! matter.

use crate::queue::{Queue, Taken};
use crate::sys::net::Socket;
use crate::sys::thread::{Run, Thread};
use core::sync::atomic::{AtomicU32, Ordering};
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;
use ssi_core::limits::HANDSHAKE_MS_MAX;
use ssi_core::member::Link;
use ssi_core::wire::{Header, HEADER_BYTES};

/// Frames that may wait for a slow peer; past that the connection counts as broken.
const SEND_QUEUE_MAX: usize = 256;

/// Longest wait for room in a peer's socket before the connection counts as broken.
const SEND_TIMEOUT_MS: u32 = 10_000;

/// Connections waiting to be accepted.
const BACKLOG: i32 = 64;

/// What happens on connections.
pub enum LinkEvent {
    /// Somebody connected.
    Accepted(Arc<Conn>),
    /// The connection that was asked for with this tag stands.
    Connected(Arc<Conn>, u32),
    /// It could not be made.
    NotConnected(u32),
    /// A message came.
    Received(Link, KVec<u8>),
    /// The connection is gone.
    Closed(Link),
}

/// Takes link events; blocks while the host is behind.
pub trait LinkSink: Send + Sync + 'static {
    /// Hands the event over.
    fn put(&self, event: LinkEvent);
}

/// One connection.
pub struct Conn {
    /// Its number, never used twice.
    pub link: Link,
    socket: Arc<Socket>,
    out: Arc<Queue<KVec<u8>>>,
}

impl Conn {
    fn open<S: LinkSink>(socket: Arc<Socket>) -> Result<Arc<Conn>> {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let out = Queue::new(SEND_QUEUE_MAX)?;
        let sender = Sender {
            socket: socket.clone(),
            out: out.clone(),
        };
        let conn = Conn {
            link: Link(NEXT.fetch_add(1, Ordering::Relaxed)),
            socket,
            out,
        };
        let conn = Arc::new(conn, GFP_KERNEL)?;
        drop(Thread::start(c_str!("ssi_send"), sender)?);
        Ok(conn)
    }

    /// Queues a message; a peer so slow that the queue is full loses the connection.
    pub fn send(&self, message: KVec<u8>) {
        if self.out.try_put(message).is_err() {
            self.close();
        }
    }

    /// Closes the connection once what is queued is sent or has failed; `Closed` follows.
    pub fn close(&self) {
        self.out.close();
    }

    /// Closes it at once.
    pub fn abort(&self) {
        self.out.close();
        self.socket.shutdown();
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.abort();
    }
}

struct Sender {
    socket: Arc<Socket>,
    out: Arc<Queue<KVec<u8>>>,
}

impl Run for Sender {
    fn run(self) {
        while let Taken::Item(message) = self.out.take(None) {
            if self.socket.send(&message, SEND_TIMEOUT_MS).is_err() {
                break;
            }
        }
        self.out.close();
        self.socket.shutdown();
    }
}

fn receive(socket: &Socket) -> Result<KVec<u8>> {
    let mut head = [0; HEADER_BYTES];
    socket.recv(&mut head, 0)?;
    let header = Header::parse(&head).map_err(|_| EINVAL)?;
    let mut message = KVec::from_elem(0u8, HEADER_BYTES + header.body_bytes(), GFP_KERNEL)?;
    message[..HEADER_BYTES].copy_from_slice(&head);
    socket.recv(&mut message[HEADER_BYTES..], 0)?;
    Ok(message)
}

fn read_until_closed<S: LinkSink>(link: Link, socket: Arc<Socket>, sink: &S) {
    while let Ok(message) = receive(&socket) {
        sink.put(LinkEvent::Received(link, message));
    }
    socket.shutdown();
    sink.put(LinkEvent::Closed(link));
}

/// Connects to a peer and reads from it.
pub struct Connector<S: LinkSink> {
    /// This node's address.
    pub from: u32,
    /// The peer's address.
    pub address: u32,
    /// The transport's port.
    pub port: u16,
    /// Comes back in the event.
    pub tag: u32,
    /// Who hears of it.
    pub sink: Arc<S>,
}

impl<S: LinkSink> Run for Connector<S> {
    fn run(self) {
        let made = Socket::connect(self.from, self.address, self.port, HANDSHAKE_MS_MAX)
            .and_then(|socket| Ok(Arc::new(socket, GFP_KERNEL)?))
            .and_then(|socket| Ok((socket.clone(), Conn::open::<S>(socket)?)));
        match made {
            Ok((socket, conn)) => {
                let link = conn.link;
                self.sink.put(LinkEvent::Connected(conn, self.tag));
                read_until_closed(link, socket, &*self.sink);
            }
            Err(_) => self.sink.put(LinkEvent::NotConnected(self.tag)),
        }
    }
}

struct Reader<S: LinkSink> {
    socket: Arc<Socket>,
    conn: Arc<Conn>,
    sink: Arc<S>,
}

impl<S: LinkSink> Run for Reader<S> {
    fn run(self) {
        let link = self.conn.link;
        self.sink.put(LinkEvent::Accepted(self.conn));
        read_until_closed(link, self.socket, &*self.sink);
    }
}

struct Acceptor<S: LinkSink> {
    listener: Arc<Socket>,
    sink: Arc<S>,
}

impl<S: LinkSink> Acceptor<S> {
    fn welcome(&self, socket: Socket) -> Result {
        let socket = Arc::new(socket, GFP_KERNEL)?;
        let conn = Conn::open::<S>(socket.clone())?;
        let reader = Reader {
            socket,
            conn,
            sink: self.sink.clone(),
        };
        drop(Thread::start(c_str!("ssi_recv"), reader)?);
        Ok(())
    }
}

impl<S: LinkSink> Run for Acceptor<S> {
    fn run(self) {
        while let Ok(socket) = self.listener.accept() {
            // Out of memory: the peer sees its connection closed and tries again.
            let _ = self.welcome(socket);
        }
    }
}

/// The listening end of this node.
pub struct Listener {
    socket: Arc<Socket>,
    thread: Option<Thread>,
}

impl Listener {
    /// Listens on `address:port` and hands what comes to `sink`.
    pub fn open<S: LinkSink>(address: u32, port: u16, sink: Arc<S>) -> Result<Listener> {
        let socket = Arc::new(Socket::listen(address, port, BACKLOG)?, GFP_KERNEL)?;
        let acceptor = Acceptor {
            listener: socket.clone(),
            sink,
        };
        let thread = Thread::start(c_str!("ssi_accept"), acceptor)?;
        Ok(Listener {
            socket,
            thread: Some(thread),
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.socket.shutdown();
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}
