// SPDX-License-Identifier: GPL-2.0
//! The one queue of a simulation: what happens next, ordered by time, then by who asked first.
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Virtual time in nanoseconds.
pub type Nanos = u64;

/// One millisecond.
pub const MS: Nanos = 1_000_000;
/// One microsecond.
pub const US: Nanos = 1_000;

struct Entry<E> {
    at: Nanos,
    sequence: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.sequence) == (other.at, other.sequence)
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// Events in their order, and the virtual clock.
pub struct Queue<E> {
    now: Nanos,
    sequence: u64,
    entries: BinaryHeap<Reverse<Entry<E>>>,
}

impl<E> Default for Queue<E> {
    fn default() -> Self {
        Queue {
            now: 0,
            sequence: 0,
            entries: BinaryHeap::new(),
        }
    }
}

impl<E> Queue<E> {
    /// What time it is.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Has `event` happen at `at`, or now where that is past.
    pub fn at(&mut self, at: Nanos, event: E) {
        self.sequence += 1;
        self.entries.push(Reverse(Entry {
            at: at.max(self.now),
            sequence: self.sequence,
            event,
        }));
    }

    /// Has `event` happen after `delay`.
    pub fn after(&mut self, delay: Nanos, event: E) {
        self.at(self.now + delay, event);
    }

    /// When the next event happens.
    pub fn next_at(&self) -> Option<Nanos> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    /// The next event; the clock is set to its time.
    pub fn pop(&mut self) -> Option<E> {
        let Reverse(entry) = self.entries.pop()?;
        self.now = entry.at;
        Some(entry.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_then_sequence() {
        let mut queue = Queue::default();
        queue.at(5, 'b');
        queue.at(3, 'a');
        queue.at(5, 'c');
        assert_eq!(queue.next_at(), Some(3));
        assert_eq!(queue.pop(), Some('a'));
        queue.at(1, 'x');
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!((rest, queue.now()), (vec!['x', 'b', 'c'], 5));
    }
}
