//! `vestibule openapi`

/// Prints the document.
pub fn run() {
    println!("{}", api::openapi());
}
