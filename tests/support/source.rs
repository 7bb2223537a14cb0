//! Reads Rust source for the checks of the source tree: files, code without comments and strings, and paths to other
//! folders.

use std::path::{Path, PathBuf};

/// A text file of the repository.
pub struct Source {
    /// From the repository's root, with `/`.
    pub name: String,
    /// As it stands.
    pub text: String,
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files under a folder (`""`: the whole repository) whose names end in one of `ends`; what is built and what
/// git keeps are left out.
pub fn files(folder: &str, ends: &[&str]) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    folders.push(path);
                }
            } else if ends.iter().any(|end| name.ends_with(end)) {
                sources.extend(read(&path));
            }
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    sources
}

fn read(path: &Path) -> Option<Source> {
    let text = std::fs::read_to_string(path).ok()?;
    let parts = path.strip_prefix(root()).ok()?.iter();
    let parts: Vec<_> = parts.map(|part| part.to_string_lossy()).collect();
    Some(Source {
        name: parts.join("/"),
        text,
    })
}

impl Source {
    /// The text without what is inside of comments, strings and characters; the lines stay where they are.
    pub fn code(&self) -> String {
        code_of(&self.text)
    }

    /// The lines before the file's test module.
    pub fn lines_without_tests(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let tests = lines
            .windows(2)
            .position(|two| two[0] == "#[cfg(test)]" && two[1].starts_with("mod "));
        tests.unwrap_or(lines.len())
    }

    /// The first part of its path below `src`: a folder, or `lib.rs`.
    pub fn room(&self) -> &str {
        self.name.split('/').nth(1).unwrap_or_default()
    }

    /// How many modules lie between the file and the crate's root.
    fn depth(&self) -> usize {
        let path = PathBuf::from(&self.name);
        let folders = path.components().count() - 2;
        folders + usize::from(!path.ends_with("mod.rs"))
    }

    /// The module that it is: names from the crate's root.
    pub fn module(&self) -> Vec<String> {
        let path = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        let names = path.split('/').map(str::to_owned);
        names
            .filter(|name| !["mod", "lib", "main"].contains(&name.as_str()))
            .collect()
    }

    /// The paths that the code names by `crate::` and `super::`, its tests left out: names from the crate's root.
    pub fn paths(&self) -> Vec<Vec<String>> {
        let code = self.code();
        let end = code.find("#[cfg(test)]\nmod ").unwrap_or(code.len());
        let (code, module, mut paths) = (&code[..end], self.module(), Vec::new());
        for (at, _) in code.match_indices("crate::") {
            written_out(&code[at + "crate::".len()..], &[], &mut paths);
        }
        for (at, _) in code.match_indices("super::") {
            if code[..at].ends_with("super::") {
                continue;
            }
            let (mut from, mut rest) = (module.clone(), &code[at..]);
            while let Some(more) = rest.strip_prefix("super::") {
                from.pop();
                rest = more;
            }
            written_out(rest, &from, &mut paths);
        }
        paths
    }

    /// The top rooms that the code names by `crate::` or by enough `super::`.
    pub fn named_rooms(&self) -> Vec<String> {
        let code = self.code();
        let mut rooms = Vec::new();
        for (at, _) in code.match_indices("crate::") {
            rooms.extend(heads(&code[at + "crate::".len()..]));
        }
        let out = "super::".repeat(self.depth());
        for (at, _) in code.match_indices(&out) {
            let rest = &code[at + out.len()..];
            rooms.extend(heads(rest.trim_start_matches("super::")));
        }
        rooms
    }
}

/// Adds the paths that go on here, groups written out; what is left after them.
fn written_out<'a>(rest: &'a str, from: &[String], paths: &mut Vec<Vec<String>>) -> &'a str {
    let rest = rest.trim_start();
    if let Some(mut group) = rest.strip_prefix('{') {
        loop {
            group = written_out(group, from, paths);
            // What it is called here does not matter.
            group = &group[group.find([',', '}']).unwrap_or(group.len())..];
            match group.strip_prefix(',') {
                Some(more) => group = more,
                None => return group.strip_prefix('}').unwrap_or(group),
            }
        }
    }
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let path = [from, &[name.to_owned()]].concat();
    if let Some(rest) = rest.strip_prefix("::") {
        return written_out(rest, &path, paths);
    }
    paths.push(path);
    rest
}

/// The first names of what a path goes on with: one name, or those of a group.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let (mut depth, mut names, mut part_from) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(group[part_from..at].trim_start()));
                part_from = at + 1;
            }
            _ => {}
        }
        if c == '}' && depth == 0 && part_from == at + 1 {
            break;
        }
    }
    names
}

/// Blanks comments and the insides of strings and characters.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = skipped(rest, code.chars().next_back());
        if length == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            code.extend(
                rest[..length]
                    .chars()
                    .map(|c| if c == '\n' { '\n' } else { ' ' }),
            );
            rest = &rest[length..];
        }
    }
    code
}

/// How many bytes of a comment, a string or a character begin here.
fn skipped(rest: &str, before: Option<char>) -> usize {
    let end_of = |mark: &str, from: usize| {
        rest[from..]
            .find(mark)
            .map_or(rest.len(), |at| from + at + mark.len())
    };
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return end_of("*/", 2);
    }
    let in_name = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let raw = rest
        .strip_prefix('r')
        .filter(|_| !in_name || before == Some('b'));
    if let Some(raw) = raw {
        let hashes = raw.bytes().take_while(|byte| *byte == b'#').count();
        if raw[hashes..].starts_with('"') {
            return end_of(&format!("\"{}", "#".repeat(hashes)), hashes + 2);
        }
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    let is_character = rest.starts_with("'\\") || rest.chars().nth(2) == Some('\'');
    if rest.starts_with('\'') && is_character {
        quoted(rest, '\'')
    } else {
        0
    }
}

/// The length of what stands in these quotes, escapes included.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// Whether the text holds the word by itself: no letter, digit or `_` beside it.
pub fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let opens = !word.starts_with(part) || !before.is_some_and(part);
        opens && (!word.ends_with(part) || !after.is_some_and(part))
    })
}
