// SPDX-License-Identifier: GPL-2.0
//! Room for the effects of one step, reserved before the step.

use kernel::prelude::*;
use ssi_core::limits::STEP_EFFECTS_MAX;

/// The effects of one step, in order.
pub struct Effects<E> {
    list: KVec<E>,
}

impl<E> Effects<E> {
    /// Room for one step.
    pub fn reserve() -> Result<Self> {
        let list = KVec::with_capacity(STEP_EFFECTS_MAX, GFP_KERNEL)?;
        Ok(Effects { list })
    }

    /// Appends an effect; the core promises not to need more room.
    pub fn push(&mut self, effect: E) {
        let pushed = self.list.push(effect, GFP_KERNEL);
        if pushed.is_err() {
            pr_err!("an effect was lost: out of memory\n");
        }
    }
}

impl<E> IntoIterator for Effects<E> {
    type Item = E;
    type IntoIter = kernel::alloc::IntoIter<E, kernel::alloc::allocator::Kmalloc>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}
