// SPDX-License-Identifier: GPL-2.0
//! An answer that a system call waits for while kernel threads work it out.

use crate::failure::Outcome;
use crate::sys::gate::Gate;
use kernel::prelude::*;
use kernel::sync::{new_mutex, Arc, Mutex};

/// One answer, given at most once.
#[pin_data]
pub struct Reply<T> {
    #[pin]
    answer: Mutex<Option<Outcome<T>>>,
    gate: Gate,
}

impl<T: Send + 'static> Reply<T> {
    /// A reply that nobody has given yet.
    pub fn new() -> Result<Arc<Self>> {
        let gate = Gate::new()?;
        Arc::pin_init(
            pin_init!(Reply {
                answer <- new_mutex!(None, "ssi_reply"),
                gate,
            }),
            GFP_KERNEL,
        )
    }

    /// Gives the answer; a second one is dropped.
    pub fn give(&self, answer: Outcome<T>) {
        let mut slot = self.answer.lock();
        if slot.is_none() {
            *slot = Some(answer);
            drop(slot);
            self.gate.open();
        }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    ///
    /// `EINTR` when the caller is being killed; the answer is lost then.
    pub fn wait(&self) -> Result<Outcome<T>> {
        self.gate.wait().map_err(|_| EINTR)?;
        self.answer.lock().take().ok_or(EIO)
    }
}
