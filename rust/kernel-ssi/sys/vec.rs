// SPDX-License-Identifier: GPL-2.0
//! What `Vec` of 6.12 cannot do yet.

use kernel::alloc::Allocator;
use kernel::alloc::Vec;

/// The same memory, without what is in it.
pub fn emptied<T: Copy, A: Allocator>(mut vec: Vec<T, A>) -> Vec<T, A> {
    // SAFETY: Nothing is left to be initialized, and `Copy` values need no drop.
    unsafe { vec.set_len(0) };
    vec
}
