//! `samlp:Response` of the Web Browser SSO profile (profiles 4.1.4): from decoded XML to what is verified.

mod conditions;
pub mod mask;
mod parse;
mod signature;
mod statement;
mod subject;
pub mod verify;
mod window;
