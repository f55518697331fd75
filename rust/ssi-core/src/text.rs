// SPDX-License-Identifier: GPL-2.0
//! Short bytes of bounded length: paths and names in messages.

use crate::codec::{CodecError, Field, Reader, Writer};

/// At most `N` bytes. What a path or a name holds; not necessarily UTF-8.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    len: u16,
    bytes: [u8; N],
}

/// A path in a message.
pub type Path = Text<{ crate::limits::PATH_BYTES_MAX }>;

impl<const N: usize> Text<N> {
    /// No bytes.
    pub const EMPTY: Text<N> = Text {
        len: 0,
        bytes: [0; N],
    };

    /// A copy of `bytes`, or `None` where they are more than `N`.
    pub fn new(bytes: &[u8]) -> Option<Text<N>> {
        if bytes.len() > N {
            return None;
        }
        Some(Text::cut(bytes))
    }

    /// A copy of the first `N` of `bytes`.
    pub fn cut(bytes: &[u8]) -> Text<N> {
        let mut text = Text::EMPTY;
        for (to, from) in text.bytes.iter_mut().zip(bytes) {
            *to = *from;
            text.len = text.len.saturating_add(1);
        }
        text
    }

    /// This with `more` behind it, or `None` where there is no room for all of it.
    #[must_use]
    pub fn and(&self, more: &[u8]) -> Option<Text<N>> {
        let mut text = *self;
        let room = text.bytes.get_mut(usize::from(text.len)..)?;
        room.get_mut(..more.len())?.copy_from_slice(more);
        text.len = text.len.saturating_add(u16::try_from(more.len()).ok()?);
        Some(text)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

impl<const N: usize> core::fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for chunk in self.as_bytes().utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("?")?;
            }
        }
        Ok(())
    }
}

impl<const N: usize> Field for Text<N> {
    const SIZE: usize = 2 + N;

    fn put(&self, out: &mut [u8]) -> Result<(), CodecError> {
        let mut writer = Writer::new(out);
        writer.field(&self.len)?;
        writer.field(&self.bytes)?;
        writer.done()
    }

    fn take(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let text = Text {
            len: reader.field()?,
            bytes: reader.field()?,
        };
        reader.done()?;
        let used = usize::from(text.len);
        // Nothing hides behind the end: one text has one encoding.
        match text.bytes.get(used..) {
            Some(padding) if padding.iter().all(|byte| *byte == 0) => Ok(text),
            Some(_) | None => Err(CodecError::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_has_one_encoding() {
        let text = Text::<4>::new(b"abc").unwrap();
        let mut out = [9; 6];
        text.put(&mut out).unwrap();
        assert_eq!(out, [3, 0, b'a', b'b', b'c', 0]);
        assert_eq!(Text::<4>::take(&out), Ok(text));
        assert_eq!(Text::<4>::take(&[3, 0, 1, 2, 3, 4]), Err(CodecError::Value));
        assert_eq!(Text::<4>::take(&[5, 0, 1, 2, 3, 4]), Err(CodecError::Value));
        assert_eq!(Text::<4>::new(b"abcde"), None);
        assert_eq!(Text::<4>::cut(b"abcde").as_bytes(), b"abcd");
        assert_eq!(Text::<4>::cut(b"ab").and(b"cd"), Text::new(b"abcd"));
        assert_eq!(Text::<4>::cut(b"ab").and(b"cde"), None);
    }
}
