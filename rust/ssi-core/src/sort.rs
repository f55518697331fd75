// SPDX-License-Identifier: GPL-2.0
//! Sorting in place on a fixed stack: a kernel's is small, and images come in any order.

/// Sorts `items` by `key`; those with the same key end up in any order.
///
/// Heapsort (Williams 1964): a few words of stack, and n log n steps, whatever the order was. The
/// standard library's unstable sort keeps a buffer of items in each of up to 2 log n frames.
pub fn by_key<T, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K) {
    let follows = |pair: &[T]| matches!(pair, [a, b] if key(a) <= key(b));
    if items.windows(2).all(follows) {
        return;
    }
    for root in (0..items.len() / 2).rev() {
        sink(items, root, &key);
    }
    // The largest goes to the end of the heap, and the heap ends before it.
    let mut heap = items;
    while let Some((first, others)) = heap.split_first_mut() {
        if let Some(last) = others.last_mut() {
            core::mem::swap(first, last);
        }
        let end = others.len();
        match heap.get_mut(..end) {
            Some(shorter) => heap = shorter,
            None => return,
        }
        sink(heap, 0, &key);
    }
}

/// Moves the item at `root` down until none below it is larger.
fn sink<T, K: Ord>(heap: &mut [T], mut root: usize, key: &impl Fn(&T) -> K) {
    loop {
        let left = root.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let child = match (heap.get(left), heap.get(right)) {
            (Some(a), Some(b)) if key(a) < key(b) => right,
            (Some(_), _) => left,
            (None, _) => return,
        };
        match (heap.get(root), heap.get(child)) {
            (Some(upper), Some(lower)) if key(upper) < key(lower) => heap.swap(root, child),
            _ => return,
        }
        root = child;
    }
}

#[cfg(test)]
mod tests {
    use super::by_key;
    use crate::trial::{seeds, Random};

    fn check(mut items: Vec<(u32, usize)>) {
        let mut expected = items.clone();
        expected.sort_unstable();
        by_key(&mut items, |item| *item);
        assert_eq!(items, expected);
    }

    #[test]
    fn any_order_is_sorted() {
        for seed in seeds(500) {
            let mut random = Random::new(seed);
            let len = random.below(300);
            let range = random.below(400) + 1;
            let mut item = |at| (random.below(range) as u32, at);
            check((0..len).map(&mut item).collect());
        }
    }

    #[test]
    fn rising_and_falling_orders_are_sorted() {
        for len in 0..70 {
            check((0..len).map(|at| (at as u32, at)).collect());
            check((0..len).map(|at| ((len - at) as u32, at)).collect());
        }
    }

    #[test]
    fn only_the_key_counts() {
        let mut items = vec![(3, 'a'), (1, 'b'), (2, 'c'), (1, 'd')];
        by_key(&mut items, |item| item.0);
        let keys: Vec<i32> = items.iter().map(|item| item.0).collect();
        assert_eq!(keys, [1, 1, 2, 3]);
    }
}
