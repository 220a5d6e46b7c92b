//! The function in front of an internal gateway: `bootstrap` in its zip.

fn main() -> std::process::ExitCode {
    authorizer::function::system()
}
