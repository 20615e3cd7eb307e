//! `vestibule openapi`

/// Prints the OpenAPI document as JSON.
pub fn run() {
    println!("{}", api::openapi());
}
