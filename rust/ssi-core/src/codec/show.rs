// SPDX-License-Identifier: GPL-2.0
//! What a record is made of, told field by field: for tools that print what they know nothing of.

/// Is told what a value is made of. A value is one number, one text, one list or one record.
pub trait Show {
    /// A number without a sign.
    fn unsigned(&mut self, number: u64);
    /// A number with a sign.
    fn signed(&mut self, number: i64);
    /// An IPv4 address in host byte order, with a port.
    fn place(&mut self, address: u32, port: u32);
    /// Anything else, in words.
    fn words(&mut self, value: &dyn core::fmt::Debug);
    /// A list: `items` tells one value after the other.
    fn list(&mut self, items: impl FnOnce(&mut Self));
    /// A record: `fields` tells, one after the other, a [`Show::name`] and its value.
    fn record(&mut self, fields: impl FnOnce(&mut Self));
    /// The name of the value that comes next.
    fn name(&mut self, name: &'static str);
}
