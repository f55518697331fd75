// SPDX-License-Identifier: GPL-2.0
//! What is used by one after the other: a link, a disk, a processor, or several of a kind.

use crate::queue::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One thing, first come, first served.
#[derive(Clone, Copy, Default, Debug)]
pub struct Line {
    free_at: Nanos,
}

impl Line {
    /// Uses it for `time`, at the earliest from `from`; gives when that is over.
    pub fn serve(&mut self, from: Nanos, time: Nanos) -> Nanos {
        self.free_at = self.free_at.max(from) + time;
        self.free_at
    }
}

/// Several things of a kind; none means that nobody ever waits.
#[derive(Clone, Default, Debug)]
pub struct Pool {
    free_at: BinaryHeap<Reverse<Nanos>>,
}

impl Pool {
    /// So many.
    pub fn new(count: usize) -> Pool {
        Pool {
            free_at: (0..count).map(|_| Reverse(0)).collect(),
        }
    }

    /// Uses the one that is free first for `time`, at the earliest from `from`.
    pub fn serve(&mut self, from: Nanos, time: Nanos) -> Nanos {
        match self.free_at.pop() {
            Some(Reverse(free)) => {
                let done = free.max(from) + time;
                self.free_at.push(Reverse(done));
                done
            }
            None => from + time,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_later_waits() {
        let mut line = Line::default();
        assert_eq!(
            (line.serve(5, 10), line.serve(6, 1), line.serve(40, 2)),
            (15, 16, 42)
        );
        let mut two = Pool::new(2);
        let done = [
            two.serve(0, 10),
            two.serve(0, 4),
            two.serve(1, 4),
            two.serve(1, 4),
        ];
        assert_eq!(done, [10, 4, 8, 12]);
        assert_eq!(Pool::default().serve(3, 4), 7);
    }
}
