// SPDX-License-Identifier: GPL-2.0
//! Fixed little-endian layouts for wire messages and image records, without allocation.
//!
//! [`record!`](crate::record) declares a struct together with its `emit` and `parse`; what it
//! declares is the format. Integers are little-endian, fields stand in order, without padding.

/// Why bytes are not what they claim to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodecError {
    /// Fewer bytes than the layout needs, or more where nothing may follow.
    Length,
    /// A field holds a value that its type does not have.
    Value,
}

mod show;
pub use show::Show;

/// A value with a fixed number of bytes.
pub trait Field: Sized + core::fmt::Debug {
    /// Bytes that the value takes.
    const SIZE: usize;
    /// Writes the value over `out`, which has exactly [`Field::SIZE`] bytes.
    fn put(&self, out: &mut [u8]) -> Result<(), CodecError>;
    /// Reads the value from `bytes`, which has exactly [`Field::SIZE`] bytes.
    fn take(bytes: &[u8]) -> Result<Self, CodecError>;
    /// Tells `out` what the value is made of.
    fn show<S: Show>(&self, out: &mut S) {
        out.words(self);
    }
}

macro_rules! integer_field {
    ($($int:ty as $show:ident),*) => {$(
        impl Field for $int {
            const SIZE: usize = core::mem::size_of::<$int>();
            fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
                let bytes = self.to_le_bytes();
                match <&mut [u8; core::mem::size_of::<$int>()]>::try_from(out) {
                    Ok(out) => {
                        *out = bytes;
                        Ok(())
                    }
                    Err(_) => Err(CodecError::Length),
                }
            }
            fn take(bytes: &[u8]) -> Result<Self, CodecError> {
                match <[u8; core::mem::size_of::<$int>()]>::try_from(bytes) {
                    Ok(bytes) => Ok(<$int>::from_le_bytes(bytes)),
                    Err(_) => Err(CodecError::Length),
                }
            }
            fn show<S: Show>(&self, out: &mut S) {
                out.$show((*self).into());
            }
        }
    )*};
}
integer_field!(
    u8 as unsigned,
    u16 as unsigned,
    u32 as unsigned,
    u64 as unsigned,
    i32 as signed,
    i64 as signed
);

impl<T: Field + Copy + Default, const N: usize> Field for [T; N] {
    const SIZE: usize = N * T::SIZE;
    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        let mut writer = Writer::new(out);
        for item in self {
            writer.field(item)?;
        }
        writer.done()
    }
    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let mut items = [T::default(); N];
        for item in &mut items {
            *item = reader.field()?;
        }
        reader.done()?;
        Ok(items)
    }
    fn show<S: Show>(&self, out: &mut S) {
        out.list(|out| {
            for item in self {
                item.show(out);
            }
        });
    }
}

/// Writes fields one after the other into a borrowed buffer.
pub struct Writer<'a> {
    rest: &'a mut [u8],
}

impl<'a> Writer<'a> {
    /// A writer at the start of `out`.
    pub fn new(out: &'a mut [u8]) -> Self {
        Writer { rest: out }
    }

    /// Appends one field.
    pub fn field<T: Field>(&mut self, value: &T) -> Result<(), CodecError> {
        value.put(self.advance(T::SIZE)?)
    }

    /// Appends raw bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.advance(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    /// Bytes that are still free.
    pub fn room(&self) -> usize {
        self.rest.len()
    }

    /// An error unless the buffer is exactly full.
    pub fn done(self) -> Result<(), CodecError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CodecError::Length)
        }
    }

    fn advance(&mut self, len: usize) -> Result<&'a mut [u8], CodecError> {
        let rest = core::mem::take(&mut self.rest);
        match rest.split_at_mut_checked(len) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(CodecError::Length),
        }
    }
}

/// Reads fields one after the other from borrowed bytes.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// The next field.
    pub fn field<T: Field>(&mut self) -> Result<T, CodecError> {
        T::take(self.bytes(T::SIZE)?)
    }

    /// The next `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        match self.rest.split_at_checked(len) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(CodecError::Length),
        }
    }

    /// Bytes that are left.
    pub fn room(&self) -> usize {
        self.rest.len()
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// An error unless everything was read.
    pub fn done(self) -> Result<(), CodecError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(CodecError::Length)
        }
    }
}

/// Declares a struct whose fields, in order, are its format; implements [`Field`] for it.
#[macro_export]
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$fmeta:meta])* pub $field:ident : $ty:ty),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty),* }

        impl $crate::codec::Field for $name {
            const SIZE: usize = 0 $(+ <$ty as $crate::codec::Field>::SIZE)*;
            fn put(&self, out: &mut [u8]) -> Result<(), $crate::codec::CodecError> {
                let mut writer = $crate::codec::Writer::new(out);
                $(writer.field(&self.$field)?;)*
                writer.done()
            }
            fn take(bytes: &[u8]) -> Result<Self, $crate::codec::CodecError> {
                let mut reader = $crate::codec::Reader::new(bytes);
                let record = $name { $($field: reader.field()?),* };
                reader.done()?;
                Ok(record)
            }
            fn show<S: $crate::codec::Show>(&self, out: &mut S) {
                out.record(|out| {
                    $(
                        out.name(stringify!($field));
                        $crate::codec::Field::show(&self.$field, out);
                    )*
                });
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    record! {
        /// A layout with every kind of field.
        pub struct Sample {
            /// One byte.
            pub small: u8,
            /// Four bytes.
            pub wide: u32,
            /// An array.
            pub many: [u16; 2],
            /// Eight bytes, signed.
            pub signed: i64,
        }
    }

    #[test]
    fn literal_bytes() {
        let sample = Sample {
            small: 1,
            wide: 0x0203_0405,
            many: [6, 7],
            signed: -1,
        };
        let bytes = [
            1, 5, 4, 3, 2, 6, 0, 7, 0, 255, 255, 255, 255, 255, 255, 255, 255,
        ];
        let mut out = [0; Sample::SIZE];
        sample.put(&mut out).unwrap();
        assert_eq!(out, bytes);
        assert_eq!(Sample::take(&bytes), Ok(sample));
        assert_eq!(
            Sample::take(bytes.get(1..).unwrap()),
            Err(CodecError::Length)
        );
    }
}
