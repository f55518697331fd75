// SPDX-License-Identifier: GPL-2.0
//! A run in a file: TOML.
use super::Plan;
use std::path::Path;

impl Plan {
    /// The run that a file describes.
    ///
    /// # Errors
    /// One line: the file, the position in it, and what is wrong there.
    pub fn read(path: &Path) -> Result<Plan, String> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|why| format!("{name}: {why}"))?;
        Plan::parse(&text).map_err(|why| format!("{name}:{why}"))
    }

    /// The run that a text describes.
    ///
    /// # Errors
    /// Line and column, and what is wrong there.
    pub fn parse(text: &str) -> Result<Plan, String> {
        let plan: Plan = toml::from_str(text).map_err(|why| {
            let at = why.span().map_or(0, |span| span.start);
            let before = &text[..at.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            let what = why.message().lines().collect::<Vec<_>>().join(" ");
            format!("{line}:{column}: {what}")
        })?;
        plan.check()?;
        Ok(plan)
    }

    /// The run as a text that [`Plan::parse`] takes.
    ///
    /// # Errors
    /// What TOML cannot express.
    pub fn to_text(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|why| why.to_string())
    }

    fn check(&self) -> Result<(), String> {
        if self.nodes < 1 || self.nodes > 254 {
            return Err(format!(" {} nodes, not 1 to 254", self.nodes));
        }
        for (number, process) in self.processes.iter().enumerate() {
            if process.node < 1 || process.node > self.nodes {
                return Err(format!(" process {number} is on node {}", process.node));
            }
            if process.father.is_some_and(|father| father >= number) {
                return Err(format!(" process {number} comes before its father"));
            }
        }
        let len = self.processes.len();
        match self
            .streams
            .iter()
            .find(|(one, two)| *one >= len || *two >= len)
        {
            Some((one, two)) => Err(format!(" a stream between {one} and {two} of {len}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for seed in 0..200 {
            let plan = Plan::draw(seed);
            assert_eq!(Plan::parse(&plan.to_text().unwrap()), Ok(plan));
        }
    }

    #[test]
    fn errors_have_a_position() {
        let wrong = |text: &str| Plan::parse(text).unwrap_err();
        assert!(wrong("nodes = 2\nnodes = 3\n").starts_with("2:1: "));
        assert!(wrong("seed = 1\nnodes = \"x\"\n").starts_with("2:9: "));
        assert_eq!(wrong("nodes = 0"), " 0 nodes, not 1 to 254");
        let far = "nodes = 1\n[[processes]]\nnode = 2\n";
        assert_eq!(wrong(far), " process 0 is on node 2");
    }
}
