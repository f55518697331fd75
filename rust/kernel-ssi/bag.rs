// SPDX-License-Identifier: GPL-2.0
//! An unordered collection whose places are used again.

use kernel::alloc::AllocError;
use kernel::prelude::*;

/// Items in no order.
pub struct Bag<T> {
    places: KVec<Option<T>>,
}

impl<T> Bag<T> {
    /// Nothing yet, and no memory.
    pub fn new() -> Bag<T> {
        Bag {
            places: KVec::new(),
        }
    }

    /// Puts an item in.
    pub fn put(&mut self, item: T) -> Result<(), AllocError> {
        match self.places.iter_mut().find(|place| place.is_none()) {
            Some(place) => {
                *place = Some(item);
                Ok(())
            }
            None => self.places.push(Some(item), GFP_KERNEL),
        }
    }

    /// Takes out one item that `is` true of.
    pub fn take(&mut self, is: impl Fn(&T) -> bool) -> Option<T> {
        let mut places = self.places.iter_mut();
        places.find(|place| place.as_ref().is_some_and(&is))?.take()
    }

    /// All items.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }

    /// All items.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.places.iter_mut().flatten()
    }

    /// One item that `is` true of.
    pub fn find(&self, is: impl Fn(&T) -> bool) -> Option<&T> {
        self.iter().find(|item| is(item))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.iter().count()
    }
}
