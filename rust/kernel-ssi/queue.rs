// SPDX-License-Identifier: GPL-2.0
//! A bounded queue between threads: producers wait for room, the consumer for items or a time.

use kernel::prelude::*;
use kernel::sync::{new_condvar, new_mutex, Arc, CondVar, Mutex};
use kernel::time::msecs_to_jiffies;

struct Ring<T> {
    slots: KVec<Option<T>>,
    head: usize,
    len: usize,
    closed: bool,
}

impl<T> Ring<T> {
    fn put(&mut self, item: T) {
        let at = (self.head + self.len) % self.slots.len();
        self.slots[at] = Some(item);
        self.len += 1;
    }

    fn take(&mut self) -> Option<T> {
        if self.len == 0 {
            return None;
        }
        let item = self.slots[self.head].take();
        self.head = (self.head + 1) % self.slots.len();
        self.len -= 1;
        item
    }

    fn full(&self) -> bool {
        self.len == self.slots.len()
    }
}

/// First in, first out; at most as many items as it was made for.
#[pin_data]
pub struct Queue<T> {
    #[pin]
    ring: Mutex<Ring<T>>,
    #[pin]
    changed: CondVar,
}

/// What a consumer got.
pub enum Taken<T> {
    /// The next item.
    Item(T),
    /// Nothing came in time.
    Timeout,
    /// The queue is closed and empty.
    Closed,
}

impl<T: Send + 'static> Queue<T> {
    /// A queue with room for `capacity` items, at least one.
    pub fn new(capacity: usize) -> Result<Arc<Self>> {
        let mut slots = KVec::with_capacity(capacity, GFP_KERNEL)?;
        for _ in 0..capacity {
            slots.push(None, GFP_KERNEL)?;
        }
        let ring = Ring {
            slots,
            head: 0,
            len: 0,
            closed: false,
        };
        Arc::pin_init(
            pin_init!(Queue {
                ring <- new_mutex!(ring, "ssi_queue"),
                changed <- new_condvar!("ssi_queue_changed"),
            }),
            GFP_KERNEL,
        )
    }

    /// Appends `item`, waiting for room; gives it back where the queue is closed.
    pub fn put(&self, item: T) -> core::result::Result<(), T> {
        let mut ring = self.ring.lock();
        while ring.full() && !ring.closed {
            self.changed.wait(&mut ring);
        }
        if ring.closed {
            return Err(item);
        }
        ring.put(item);
        drop(ring);
        self.changed.notify_all();
        Ok(())
    }

    /// Appends `item` if there is room now; gives it back otherwise.
    pub fn try_put(&self, item: T) -> core::result::Result<(), T> {
        let mut ring = self.ring.lock();
        if ring.full() || ring.closed {
            return Err(item);
        }
        ring.put(item);
        drop(ring);
        self.changed.notify_all();
        Ok(())
    }

    /// The next item; waits for it, at most `timeout_ms` where that is given. Kernel threads only.
    pub fn take(&self, timeout_ms: Option<u32>) -> Taken<T> {
        let mut left = timeout_ms.map(msecs_to_jiffies);
        let mut ring = self.ring.lock();
        loop {
            if let Some(item) = ring.take() {
                drop(ring);
                self.changed.notify_all();
                return Taken::Item(item);
            }
            if ring.closed {
                return Taken::Closed;
            }
            match left {
                None => {
                    // Interruptible, so that an idle kernel thread does not count as load; no
                    // signal ever reaches a kernel thread.
                    let _ = self.changed.wait_interruptible(&mut ring);
                }
                Some(0) => return Taken::Timeout,
                Some(jiffies) => {
                    use kernel::sync::CondVarTimeoutResult as R;
                    left = match self.changed.wait_interruptible_timeout(&mut ring, jiffies) {
                        R::Woken { jiffies } | R::Signal { jiffies } => Some(jiffies),
                        R::Timeout => Some(0),
                    };
                }
            }
        }
    }

    /// Refuses new items and wakes everybody; what is queued can still be taken.
    pub fn close(&self) {
        self.ring.lock().closed = true;
        self.changed.notify_all();
    }
}
