// SPDX-License-Identifier: GPL-2.0
//! The one value that lives as long as the module: set once, never taken back.

use core::pin::Pin;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, Ordering};
use kernel::prelude::*;

/// A place for one value that is set at the module's start.
pub struct Global<T>(AtomicPtr<T>);

impl<T: Send + Sync + 'static> Global<T> {
    /// An empty place.
    pub const fn new() -> Self {
        Global(AtomicPtr::new(null_mut()))
    }

    /// Puts the value there, for ever.
    pub fn set(&self, value: Pin<KBox<T>>) {
        // SAFETY: The value is never moved again: it is only borrowed from here on.
        let raw = KBox::into_raw(unsafe { Pin::into_inner_unchecked(value) });
        self.0.store(raw, Ordering::Release);
    }

    /// The value, once it is set.
    pub fn get(&self) -> Option<&'static T> {
        // SAFETY: Either null, or a leaked box that nobody ever frees.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }
    }
}
