// SPDX-License-Identifier: GPL-2.0
//! What the tests share: a source of chance with a seed, and golden tables.

use std::path::Path;

/// Random numbers that are the same for the same seed: xorshift64* (Vigna 2016).
pub struct Random(u64);

impl Random {
    /// A source for this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % bound
    }
}

/// Seeds of a test: `few`, or as many times that as the environment variable `RUNS` says.
pub fn seeds(few: u64) -> std::ops::Range<u64> {
    let times = std::env::var("RUNS").map_or(1, |runs| runs.parse().unwrap());
    0..few * times
}

/// Compares `text` with the golden file `name` under `src/`; `BLESS=1` writes it.
pub fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    for (number, (new, old)) in text.lines().zip(known.lines()).enumerate() {
        assert_eq!(
            new,
            old,
            "{name}, line {}: BLESS=1 accepts the new table",
            number + 1
        );
    }
    assert_eq!(
        text.lines().count(),
        known.lines().count(),
        "{name}: BLESS=1 accepts the table"
    );
}

/// A line of names, broken before the hundredth column.
pub fn listed(title: &str, names: &[String]) -> String {
    let mut text = String::new();
    let mut line = format!("  {title}:");
    for name in names {
        if line.len() + name.len() > 96 {
            text += &line;
            text += "\n";
            line = String::from("   ");
        }
        line += " ";
        line += name;
        line += ",";
    }
    text + line.trim_end_matches(',') + "\n"
}
