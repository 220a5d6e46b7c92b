//! The function in front of a public gateway: `bootstrap` in its zip.

fn main() -> std::process::ExitCode {
    authorizer::function::gate()
}
