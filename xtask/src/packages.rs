//! Packages of npm and pip, inside the checkout: installed again only when what they are made from changed. The programs of
//! compiled clients are built here too, by tools that know themselves what has changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::binary;
use crate::process::Program;
use crate::runtimes::{Go, Jdk, Node, Python};

/// Holds what an installation was made from. Written last, so that an interrupted installation is made again.
const STAMP: &str = ".backtrail-stamp";

/// `npm ci` in `dir`, unless `node_modules` was made by this Node from this lock file.
pub(crate) fn npm_ci(dir: &Path, node: &Node) -> Result<()> {
    let lock = dir.join("package-lock.json");
    let wanted = stamp_of(&node.version, &lock)?;
    let modules = dir.join("node_modules");
    if is_stamped(&modules, &wanted) {
        return Ok(());
    }
    // The browser of the tests is the one of the system: packages download nothing besides themselves.
    Program::tool("npm", &["ci", "--no-audit", "--no-fund"], dir)
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .env("SENTRYCLI_SKIP_DOWNLOAD", "1")
        .run()?;
    stamp(&modules, &wanted)
}

/// A virtual environment in `dir/.venv` with the packages of `dir/requirements.txt`, unless it is there already.
pub(crate) fn pip_install(dir: &Path, python: &Python) -> Result<()> {
    let wanted = stamp_of(&python.version, &dir.join("requirements.txt"))?;
    let environment = dir.join(".venv");
    if is_stamped(&environment, &wanted) {
        return Ok(());
    }
    Program::tool(python.program, &["-m", "venv", "--clear", ".venv"], dir).run()?;
    let args = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        "requirements.txt",
    ];
    Program::tool(environment.join("bin/python"), &args, dir).run()?;
    stamp(&environment, &wanted)
}

/// The service of `dir` and OpenTelemetry's agent, into `dir/target`. What it needs comes from Maven's own cache when it is there.
pub(crate) fn maven_package(dir: &Path, _jdk: &Jdk) -> Result<()> {
    Program::tool("mvn", &["--quiet", "--batch-mode", "package"], dir).run()
}

/// The program of `dir` into `dir/target/client`, after a look at it by `go vet`.
pub(crate) fn go_build(dir: &Path, _go: &Go) -> Result<()> {
    Program::tool("go", &["vet", "./..."], dir).run()?;
    Program::tool("go", &["build", "-o", "target/client", "."], dir).run()
}

/// The program of `dir`, a package outside of the workspace; returns where cargo put it.
pub(crate) fn cargo_build(dir: &Path, name: &str) -> Result<PathBuf> {
    let args = [
        "build",
        "--locked",
        "--message-format=json-render-diagnostics",
    ];
    binary::built(Program::tool("cargo", &args, dir), name)
}

/// [`cargo_build`], with the tests of the package: what `cargo test` needs later is there then, built once.
pub(crate) fn cargo_build_with_tests(dir: &Path, name: &str) -> Result<PathBuf> {
    let args = [
        "build",
        "--bins",
        "--tests",
        "--locked",
        "--message-format=json-render-diagnostics",
    ];
    binary::built(Program::tool("cargo", &args, dir), name)
}

fn stamp_of(runtime: &str, lock: &Path) -> Result<String> {
    let lock_text =
        fs::read_to_string(lock).with_context(|| format!("can't read {}", lock.display()))?;
    Ok(format!("{runtime}\n{lock_text}"))
}

fn is_stamped(installed: &Path, wanted: &str) -> bool {
    fs::read_to_string(installed.join(STAMP)).is_ok_and(|stamped| stamped == wanted)
}

fn stamp(installed: &Path, wanted: &str) -> Result<()> {
    // `npm ci` makes no folder when there is nothing to install.
    fs::create_dir_all(installed)?;
    fs::write(installed.join(STAMP), wanted)
        .with_context(|| format!("can't write {}", installed.join(STAMP).display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_is_reused_until_lock_file_or_runtime_change() {
        let dir = tempfile::tempdir().unwrap();
        let (lock, installed) = (
            dir.path().join("package-lock.json"),
            dir.path().join("modules"),
        );
        fs::write(&lock, "{}").unwrap();
        let first = stamp_of("v20.1.0", &lock).unwrap();
        assert!(!is_stamped(&installed, &first), "nothing is installed yet");

        stamp(&installed, &first).unwrap();
        assert!(is_stamped(&installed, &first));
        assert!(
            !is_stamped(&installed, &stamp_of("v22.0.0", &lock).unwrap()),
            "another Node"
        );

        fs::write(&lock, r#"{"packages":{}}"#).unwrap();
        assert!(
            !is_stamped(&installed, &stamp_of("v20.1.0", &lock).unwrap()),
            "another lock file"
        );
    }

    #[test]
    fn a_missing_lock_file_is_named() {
        let error = stamp_of("v20.1.0", Path::new("no-such-folder/package-lock.json")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no-such-folder/package-lock.json"),
            "{error}"
        );
    }
}
