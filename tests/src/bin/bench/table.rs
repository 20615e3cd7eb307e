//! Tables of results, one line each, with a verdict where there is a bar to keep.

/// A bar is for people to look at: nothing fails because a machine was busy.
pub fn verdict(value: f64, bar: f64) -> &'static str {
    if value <= bar { "PASS" } else { "over" }
}

/// Prints a table whose first column is text and whose others are numbers or short words.
pub fn print(title: &str, head: &[&str], rows: &[Vec<String>]) {
    println!("\n{title}");
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..head.len()).map(width).collect();
    line(&widths, head.iter().copied());
    line(&widths, widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().iter().map(String::as_str));
    for row in rows {
        line(&widths, row.iter().map(String::as_str));
    }
}

fn line<'a>(widths: &[usize], cells: impl Iterator<Item = &'a str>) {
    let mut text = String::from(" ");
    for (column, (cell, width)) in cells.zip(widths).enumerate() {
        let aligned = if column == 0 { format!(" {cell:<width$}") } else { format!("  {cell:>width$}") };
        text.push_str(&aligned);
    }
    println!("{}", text.trim_end());
}
