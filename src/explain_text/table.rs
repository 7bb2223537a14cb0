//! Tables of plain text, aligned by the width of each character on a terminal: Chinese characters take two columns.

use unicode_width::UnicodeWidthStr;

/// On which side of its column a cell stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Rows of cells under a head.
pub(super) struct TextTable {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

/// What stands between two columns.
const GAP: &str = "  ";

impl TextTable {
    /// A table with these columns.
    pub(super) fn new(columns: &[(&str, Side)]) -> TextTable {
        TextTable {
            sides: columns.iter().map(|&(_, side)| side).collect(),
            rows: vec![columns.iter().map(|&(title, _)| title.to_owned()).collect()],
        }
    }

    /// A table without a head.
    pub(super) fn headless(sides: &[Side]) -> TextTable {
        TextTable {
            sides: sides.to_vec(),
            rows: Vec::new(),
        }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table's lines, each after `indent`, without blanks at their ends.
    pub(super) fn lines(&self, indent: &str) -> Vec<String> {
        let widths: Vec<usize> = (0..self.sides.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&self.sides).zip(&widths);
            let padded: Vec<String> = cells
                .map(|((cell, &side), &width)| pad(cell, side, width))
                .collect();
            format!("{indent}{}", padded.join(GAP))
                .trim_end()
                .to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

fn pad(cell: &str, side: Side, width: usize) -> String {
    let blanks = " ".repeat(width.saturating_sub(cell.width()));
    match side {
        Side::Left => format!("{cell}{blanks}"),
        Side::Right => format!("{blanks}{cell}"),
    }
}
