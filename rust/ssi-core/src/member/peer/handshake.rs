// SPDX-License-Identifier: GPL-2.0
//! The handshake of a connection: both ends introduce themselves and prove that they have the key.

use super::{Life, Peer, Said, Shake, Sink};
use crate::limits;
use crate::member::{Effect, Link, Me, Role, Transcript};
use crate::wire::member::{Hello, Mac, Message, Nonce, Proof, Reason, Refuse};

impl Peer {
    pub(super) fn back_off(&mut self, now_ms: u64) {
        self.shake = Shake::Idle;
        self.dial_ms = now_ms.saturating_add(u64::from(self.pause_ms));
        self.pause_ms = self
            .pause_ms
            .saturating_mul(2)
            .min(limits::RECONNECT_MS_MAX);
    }

    pub(super) fn hello(&self, nonce: Nonce) -> Hello {
        let Me {
            node,
            epoch,
            cluster,
            ..
        } = self.me;
        Hello {
            cluster,
            node,
            epoch,
            nonce,
            took_part: u32::from(self.took_part),
        }
    }

    pub(super) fn connected(&mut self, now_ms: u64, link: Link, nonce: Nonce, out: Sink<'_>) {
        if self.shake != Shake::Dialing {
            out(Effect::Close { link });
            return;
        }
        let ours = self.hello(nonce);
        self.shake = Shake::Hello {
            link,
            since_ms: now_ms,
            ours,
        };
        out(Effect::Send {
            link,
            message: Message::Hello(ours),
        });
    }

    pub(super) fn accepted(
        &mut self,
        now_ms: u64,
        link: Link,
        hello: (Nonce, Hello),
        out: Sink<'_>,
    ) {
        let (nonce, theirs) = hello;
        let ours = self.hello(nonce);
        if self.me.node > self.node {
            // The higher id connects: nobody else does.
            self.refuse(link, Reason::Node, out);
            return;
        }
        if let Some((older, _)) = self.shaking() {
            out(Effect::Close { link: older });
            self.shake = Shake::Idle;
        }
        if self.introduced(link, &ours, &theirs, out) {
            out(Effect::Send {
                link,
                message: Message::Hello(ours),
            });
            self.ask_proofs(now_ms, link, (Role::Acceptor, &theirs, &ours), out);
        }
    }

    /// Whether an introduction may be answered; refuses it otherwise.
    pub(super) fn introduced(
        &mut self,
        link: Link,
        ours: &Hello,
        theirs: &Hello,
        out: Sink<'_>,
    ) -> bool {
        let reason = if theirs.cluster != ours.cluster {
            Reason::Cluster
        } else if theirs.node != self.node || theirs.nonce == ours.nonce {
            Reason::Node
        } else {
            return true;
        };
        self.refuse(link, reason, out);
        false
    }

    /// `ends`: this node's role, the connector's and the acceptor's introduction.
    pub(super) fn ask_proofs(
        &mut self,
        now_ms: u64,
        link: Link,
        ends: (Role, &Hello, &Hello),
        out: Sink<'_>,
    ) {
        let (role, connector, acceptor) = ends;
        let (ours, theirs) = match role {
            Role::Connector => (connector, acceptor),
            Role::Acceptor => (acceptor, connector),
        };
        self.shake = Shake::Proofs {
            link,
            since_ms: now_ms,
            said: Said {
                epoch: theirs.epoch,
                took_part: theirs.took_part != 0,
                we_took_part: ours.took_part != 0,
            },
        };
        out(Effect::Prove {
            link,
            mine: Transcript::new(role, connector, acceptor),
            theirs: Transcript::new(role.other(), connector, acceptor),
        });
    }

    pub(super) fn prove(&mut self, link: Link, mine: Mac, theirs: Mac, out: Sink<'_>) {
        match self.shake {
            Shake::Proofs {
                link: shaking,
                since_ms,
                said,
            } if shaking == link => {
                self.shake = Shake::Proof {
                    link,
                    since_ms,
                    said,
                    expected: theirs,
                };
                out(Effect::Send {
                    link,
                    message: Message::Proof(Proof { mac: mine }),
                });
            }
            Shake::Idle
            | Shake::Dialing
            | Shake::Hello { .. }
            | Shake::Proofs { .. }
            | Shake::Proof { .. } => {}
        }
    }

    /// The peer's fault, or a forger's: a peer that is up stays so.
    pub(super) fn refuse(&mut self, link: Link, reason: Reason, out: Sink<'_>) {
        out(Effect::Send {
            link,
            message: Message::Refuse(Refuse { reason }),
        });
        out(Effect::Close { link });
        self.refused();
    }

    pub(super) fn refused(&mut self) {
        match self.life {
            Life::Absent | Life::Refused => self.life = Life::Refused,
            Life::Up { .. } | Life::Down => {}
        }
    }

    pub(super) fn received(&mut self, now_ms: u64, link: Link, message: &Message, out: Sink<'_>) {
        if self.link() == Some(link) {
            self.heard_ms = now_ms;
            return self.received_live(now_ms, link, message, out);
        }
        match (self.shake, message) {
            (Shake::Hello { link: at, ours, .. }, Message::Hello(theirs)) if at == link => {
                if self.introduced(link, &ours, theirs, out) {
                    self.ask_proofs(now_ms, link, (Role::Connector, &ours, theirs), out);
                } else {
                    self.back_off(now_ms);
                }
            }
            (
                Shake::Proof {
                    link: at,
                    said,
                    expected,
                    ..
                },
                Message::Proof(proof),
            ) if at == link => {
                self.back_off(now_ms);
                if same_mac(&expected, &proof.mac) {
                    self.establish(now_ms, link, said, out);
                } else {
                    self.refuse(link, Reason::Proof, out);
                }
            }
            (
                Shake::Hello { link: at, .. }
                | Shake::Proofs { link: at, .. }
                | Shake::Proof { link: at, .. },
                Message::Hello(_)
                | Message::Proof(_)
                | Message::Heartbeat(_)
                | Message::Refuse(_)
                | Message::Leave(_),
            ) if at == link => {
                // What is said before the proof is a claim; it ends the attempt and no more.
                self.back_off(now_ms);
                self.refused();
                out(Effect::Close { link });
            }
            (
                Shake::Idle
                | Shake::Dialing
                | Shake::Hello { .. }
                | Shake::Proofs { .. }
                | Shake::Proof { .. },
                Message::Hello(_)
                | Message::Proof(_)
                | Message::Heartbeat(_)
                | Message::Refuse(_)
                | Message::Leave(_),
            ) => {}
        }
    }
}

/// Compares in a time that does not depend on where the first difference is.
pub fn same_mac(a: &Mac, b: &Mac) -> bool {
    let mut difference = 0;
    for (x, y) in a.iter().zip(b) {
        difference |= x ^ y;
    }
    difference == 0
}
