// SPDX-License-Identifier: GPL-2.0
//! What a record says, as a tree of named values: shown as text or JSON, and compared.
use crate::message::printable;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use ssi_core::codec::{Field, Show};
use std::fmt;
use std::net::Ipv4Addr;
use xxhash_rust::xxh64::xxh64;

/// A value of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number without a sign.
    Unsigned(u64),
    /// A number with a sign.
    Signed(i64),
    /// A path, a name, an address.
    Text(String),
    /// Content that is nobody's to read: its length and its digest.
    Bytes(u64, u64),
    /// Values of the same kind.
    List(Vec<Value>),
    /// Values with names.
    Record(Vec<(&'static str, Value)>),
}

/// Fields that are bits or addresses, and so better read in base 16.
const HEXADECIMAL: &[&str] = &[
    "flags",
    "caps",
    "blocked",
    "saved_mask",
    "mask",
    "start",
    "end",
    "address",
    "handler",
    "restorer",
    "fs_base",
    "gs_base",
    "altstack",
    "robust_list",
    "clear_tid",
    "rseq",
    "digest",
    "vdso",
    "vdso_digest",
    "mmap_base",
    "code",
    "data",
    "brk",
    "stack",
    "arg",
    "env",
    "auxv",
    "capabilities",
    "info",
    "events",
    "upper",
    "ax",
    "arguments",
    "orig_ax",
    "ip",
    "sp",
    "restart",
    "rseq_signature",
    "traits",
    "securebits",
    "pkru",
    "dump_filter",
    "rdev",
];

/// Fields whose bytes are text, padded with zeros.
const PADDED: &[&str] = &["comm", "release", "congestion"];

/// Fields that say nothing.
const SILENT: &[&str] = &["reserved"];

impl Value {
    /// What a record of the core says.
    pub fn of<T: Field>(record: &T) -> Value {
        let mut tree = Tree::default();
        record.show(&mut tree);
        tree.values.pop().unwrap_or(Value::List(Vec::new()))
    }

    /// Bytes that are text for a user.
    pub fn text(bytes: &[u8]) -> Value {
        Value::Text(printable(&String::from_utf8_lossy(bytes)))
    }

    /// Bytes that are not.
    pub fn bytes(bytes: &[u8]) -> Value {
        Value::Bytes(bytes.len() as u64, xxh64(bytes, 0))
    }

    /// A record with one more value.
    pub fn with(self, name: &'static str, value: Value) -> Value {
        match self {
            Value::Record(mut fields) => {
                fields.push((name, value));
                Value::Record(fields)
            }
            Value::Unsigned(_)
            | Value::Signed(_)
            | Value::Text(_)
            | Value::Bytes(..)
            | Value::List(_) => self,
        }
    }
}

/// Gathers what a record tells.
#[derive(Default)]
struct Tree {
    values: Vec<Value>,
    name: &'static str,
    fields: Vec<(&'static str, Value)>,
}

impl Tree {
    /// A value is a field of the record at work, if there is one.
    fn put(&mut self, value: Value) {
        match std::mem::take(&mut self.name) {
            "" => self.values.push(value),
            name if SILENT.contains(&name) => {}
            name => self.fields.push((name, value)),
        }
    }

    /// What `told` tells, apart from all else.
    fn apart(told: impl FnOnce(&mut Tree)) -> Tree {
        let mut tree = Tree::default();
        told(&mut tree);
        tree
    }
}

impl Show for Tree {
    fn unsigned(&mut self, number: u64) {
        self.put(Value::Unsigned(number));
    }

    fn signed(&mut self, number: i64) {
        self.put(Value::Signed(number));
    }

    fn place(&mut self, address: u32, port: u32) {
        let address = Ipv4Addr::from(address);
        self.put(Value::Text(format!("{address}:{port}")));
    }

    fn words(&mut self, value: &dyn fmt::Debug) {
        self.put(Value::Text(format!("{value:?}")));
    }

    fn list(&mut self, items: impl FnOnce(&mut Self)) {
        let values = Tree::apart(items).values;
        let value = match PADDED.contains(&self.name) {
            true => padded(&values),
            false => Value::List(values),
        };
        self.put(value);
    }

    fn record(&mut self, fields: impl FnOnce(&mut Self)) {
        let fields = Tree::apart(fields).fields;
        self.put(Value::Record(fields));
    }

    fn name(&mut self, name: &'static str) {
        self.name = name;
    }
}

fn padded(values: &[Value]) -> Value {
    let byte = |value: &Value| match value {
        Value::Unsigned(number) => u8::try_from(*number).ok(),
        Value::Signed(_) | Value::Text(_) | Value::Bytes(..) | Value::List(_) => None,
        Value::Record(_) => None,
    };
    let bytes: Vec<u8> = values.iter().filter_map(byte).collect();
    let used = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Value::text(used)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Unsigned(number) => out.serialize_u64(*number),
            Value::Signed(number) => out.serialize_i64(*number),
            Value::Text(text) => out.serialize_str(text),
            Value::Bytes(len, digest) => {
                let mut map = out.serialize_map(Some(2))?;
                map.serialize_entry("bytes", len)?;
                map.serialize_entry("xxh64", &format!("{digest:016x}"))?;
                map.end()
            }
            Value::List(values) => {
                let mut list = out.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Value::Record(fields) => {
                let mut map = out.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl Value {
    /// Writes the value of the field `name`.
    pub fn write(&self, name: &str, out: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Value::Unsigned(number) if HEXADECIMAL.contains(&name) && *number > 9 => {
                write!(out, "{number:#x}")
            }
            Value::Unsigned(number) if name == "umask" => write!(out, "{number:#o}"),
            Value::Unsigned(number) => write!(out, "{number}"),
            Value::Signed(number) => write!(out, "{number}"),
            Value::Text(text) => write!(out, "{text:?}"),
            Value::Bytes(len, digest) => write!(out, "({len} bytes, {digest:016x})"),
            Value::List(values) => {
                write!(out, "[")?;
                for (at, value) in values.iter().enumerate() {
                    write!(out, "{}", if at == 0 { "" } else { " " })?;
                    value.write(name, out)?;
                }
                write!(out, "]")
            }
            Value::Record(fields) => {
                write!(out, "{{")?;
                write_fields(fields, out)?;
                write!(out, "}}")
            }
        }
    }
}

fn write_fields(fields: &[(&'static str, Value)], out: &mut dyn fmt::Write) -> fmt::Result {
    for (at, (name, value)) in fields.iter().enumerate() {
        write!(out, "{}{name}=", if at == 0 { "" } else { " " })?;
        value.write(name, out)?;
    }
    Ok(())
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Record(fields) => write_fields(fields, out),
            Value::Unsigned(_)
            | Value::Signed(_)
            | Value::Text(_)
            | Value::Bytes(..)
            | Value::List(_) => self.write("", out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ssi_core::image::file::FileLock;
    use ssi_core::image::socket::TcpPair;
    use ssi_core::stream::End;

    #[test]
    fn a_record_tells_its_fields_in_order() {
        let lock = FileLock {
            object: 3,
            table: 0,
            start: 16,
            end: u64::MAX,
            kind: 1,
            exclusive: 1,
        };
        let value = Value::of(&lock).with("path", Value::text(b"/a\x1b"));
        assert_eq!(
            value.to_string(),
            "object=3 table=0 start=0x10 end=0xffffffffffffffff kind=1 exclusive=1 \
             path=\"/a\u{fffd}\""
        );
    }

    #[test]
    fn places_and_content_are_read_by_people_and_programs() {
        let end = End {
            address: 0x0a4d_0001,
            port: 80,
        };
        let pair = TcpPair {
            near: end,
            far: End::NONE,
        };
        let value = Value::of(&pair).with("sent", Value::bytes(b""));
        assert_eq!(
            serde_json::to_string(&value).unwrap(),
            concat!(
                r#"{"near":"10.77.0.1:80","far":"0.0.0.0:0","#,
                r#""sent":{"bytes":0,"xxh64":"ef46db3751d8e999"}}"#
            )
        );
    }
}
