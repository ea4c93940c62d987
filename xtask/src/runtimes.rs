//! What the tests need besides cargo: Node, Python, Java, Go, Chromium and PostgreSQL. Found here, and installed where that is possible.
//!
//! A language's runtime is never installed: which one a machine has is its owner's choice. Chromium, PostgreSQL and Python's
//! `venv` are system packages without a choice in them; they are installed when this runs as root with apt.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::process::{Program, YELLOW, paint};

const NODE_AT_LEAST: Version = Version {
    major: 20,
    minor: 0,
};
const PYTHON_AT_LEAST: Version = Version { major: 3, minor: 9 };
const JDK_AT_LEAST: Version = Version {
    major: 17,
    minor: 0,
};
/// What the modules of `clients/go` ask for.
const GO_AT_LEAST: Version = Version {
    major: 1,
    minor: 26,
};

const CHROMIUM_NAMES: &[&str] = &[
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];
const CHROMIUM_OUTSIDE_PATH: &[&str] = &[
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// Node with npm.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// As `node --version` prints it.
    pub(crate) version: String,
}

/// A Python that can make virtual environments.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    /// The name of the interpreter.
    pub(crate) program: &'static str,
    /// As `python3 --version` prints it.
    pub(crate) version: String,
}

/// A JDK with Maven.
#[derive(Clone, Debug)]
pub(crate) struct Jdk;

/// Go's tool.
#[derive(Clone, Debug)]
pub(crate) struct Go;

/// Finds Node and npm, or says what to install.
pub(crate) fn node() -> Result<Node> {
    let version = Program::tool("node", &["--version"], Path::new(".")).output();
    let version = at_least("Node", version, NODE_AT_LEAST)?;
    if Program::tool("npm", &["--version"], Path::new("."))
        .output()
        .is_none()
    {
        bail!("npm is not installed; it comes with Node from https://nodejs.org/en/download");
    }
    Ok(Node { version })
}

/// Finds Python, installs what its `venv` needs, or says what to install.
pub(crate) fn python() -> Result<Python> {
    let mut found = None;
    for program in ["python3", "python"] {
        let version = Program::tool(program, &["--version"], Path::new(".")).output();
        match at_least("Python", version, PYTHON_AT_LEAST) {
            Ok(version) => {
                found = Some(Ok(Python { program, version }));
                break;
            }
            Err(error) => {
                found.get_or_insert(Err(error));
            }
        }
    }
    let python = found.context("no name of Python was tried")??;
    if !makes_environments(&python) {
        install(&["python3-venv"], "Python's venv module")?;
        if !makes_environments(&python) {
            bail!(
                "{} can't make virtual environments although python3-venv is installed; \
                 put a Python with venv and ensurepip first in PATH",
                python.version
            );
        }
    }
    Ok(python)
}

/// Finds a JDK and Maven, or says what to install.
pub(crate) fn jdk() -> Result<Jdk> {
    let here = Path::new(".");
    let version = Program::tool("javac", &["--version"], here).output();
    at_least("a JDK", version, JDK_AT_LEAST)?;
    if Program::tool("mvn", &["--version"], here)
        .output()
        .is_none()
    {
        bail!("Maven is not installed, or finds no JDK; install it and have mvn in PATH");
    }
    Ok(Jdk)
}

/// Finds Go, or says what to install.
pub(crate) fn go() -> Result<Go> {
    let version = Program::tool("go", &["version"], Path::new(".")).output();
    at_least("Go", version, GO_AT_LEAST)?;
    Ok(Go)
}

fn makes_environments(python: &Python) -> bool {
    Program::tool(
        python.program,
        &["-c", "import ensurepip, venv"],
        Path::new("."),
    )
    .output()
    .is_some()
}

/// Finds Chromium (`CHROMIUM` names one outside `PATH`), installs it, or says what to type.
pub(crate) fn chromium() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        return browser_that_starts(PathBuf::from(path)).context("CHROMIUM is set");
    }
    if let Some(path) = installed_chromium() {
        return browser_that_starts(path);
    }
    install(&["chromium"], "Chromium")?;
    let path = installed_chromium().context(
        "the package chromium brought no browser; install Chromium or Chrome and set CHROMIUM to its path",
    )?;
    browser_that_starts(path)
}

fn installed_chromium() -> Option<PathBuf> {
    find_program(CHROMIUM_NAMES, &env::var_os("PATH").unwrap_or_default()).or_else(|| {
        CHROMIUM_OUTSIDE_PATH
            .iter()
            .map(PathBuf::from)
            .find(|path| path.is_file())
    })
}

/// A stub that only points to another package manager is in `PATH` on some systems, so that it is there proves nothing.
fn browser_that_starts(path: PathBuf) -> Result<PathBuf> {
    if Program::tool(&path, &["--version"], Path::new("."))
        .output()
        .is_none()
    {
        bail!(
            "{} does not start; install Chromium or Chrome and set CHROMIUM to its path",
            path.display()
        );
    }
    Ok(path)
}

/// Where Debian has the programs of PostgreSQL, a folder for each version.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// Finds the folder of PostgreSQL's programs (`POSTGRES_BIN` names one), installs them, or says what to type.
pub(crate) fn postgres() -> Result<PathBuf> {
    if let Some(path) = env::var_os("POSTGRES_BIN").filter(|path| !path.is_empty()) {
        return postgres_that_starts(PathBuf::from(path)).context("POSTGRES_BIN is set");
    }
    if let Some(path) = installed_postgres() {
        return postgres_that_starts(path);
    }
    install(&["postgresql"], "PostgreSQL")?;
    let path = installed_postgres().context(
        "the package postgresql brought no initdb; install PostgreSQL and set POSTGRES_BIN to the folder of its programs",
    )?;
    postgres_that_starts(path)
}

fn installed_postgres() -> Option<PathBuf> {
    let search_path = env::var_os("PATH").unwrap_or_default();
    let in_path = find_program(&["initdb"], &search_path).and_then(|program| {
        // The other programs stand beside the one that a link leads to.
        Some(fs::canonicalize(program).ok()?.parent()?.to_owned())
    });
    in_path.or_else(|| newest_postgres(Path::new(POSTGRES_VERSIONS)))
}

fn newest_postgres(versions: &Path) -> Option<PathBuf> {
    let folders = fs::read_dir(versions).ok()?.flatten();
    let numbered = folders.filter_map(|folder| {
        let version: u32 = folder.file_name().to_str()?.parse().ok()?;
        let programs = folder.path().join("bin");
        programs
            .join("initdb")
            .is_file()
            .then_some((version, programs))
    });
    numbered.max().map(|(_, programs)| programs)
}

fn postgres_that_starts(path: PathBuf) -> Result<PathBuf> {
    for name in ["initdb", "postgres", "pg_isready"] {
        let program = Program::tool(path.join(name), &["--version"], Path::new("."));
        if program.output().is_none() {
            bail!(
                "{} does not start; install PostgreSQL and set POSTGRES_BIN to the folder of its programs",
                path.join(name).display()
            );
        }
    }
    Ok(path)
}

/// The first of `names` that is a file in one of the folders of `search_path`, looking for one name everywhere first.
fn find_program(names: &[&str], search_path: &OsStr) -> Option<PathBuf> {
    names.iter().find_map(|name| {
        env::split_paths(search_path)
            .map(|dir| dir.join(name))
            .find(|path| path.is_file())
    })
}

/// Installs system packages as root with apt, saying so; otherwise fails with the command to type.
fn install(packages: &[&str], what: &str) -> Result<()> {
    let has_apt = find_program(&["apt-get"], &env::var_os("PATH").unwrap_or_default()).is_some();
    if !has_apt {
        bail!("{what} is not installed; install it with this system's package manager");
    }
    if !is_root() {
        bail!(
            "{what} is not installed; type: sudo apt-get install {}",
            packages.join(" ")
        );
    }
    let message = format!(
        "{what} is not installed. This runs as root with apt, so it is installed now: apt-get install {}",
        packages.join(" ")
    );
    println!("{}", paint(YELLOW, &message));
    let here = Path::new(".");
    Program::tool("apt-get", &["update", "--quiet"], here).run()?;
    let mut args = vec!["install", "--quiet", "--yes", "--no-install-recommends"];
    args.extend(packages);
    Program::tool("apt-get", &args, here)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .run()
}

fn is_root() -> bool {
    Program::tool("id", &["-u"], Path::new("."))
        .output()
        .as_deref()
        == Some("0")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// Reads what a runtime prints: `v20.11.1`, `Python 3.9.2`, `go version go1.26.8 linux/amd64`.
    fn parse(printed: &str) -> Option<Self> {
        let digits = printed.trim_start_matches(|c: char| !c.is_ascii_digit());
        let mut parts = digits.split('.').map_while(|part| part.parse().ok());
        Some(Self {
            major: parts.next()?,
            minor: parts.next()?,
        })
    }
}

fn at_least(name: &str, printed: Option<String>, wanted: Version) -> Result<String> {
    let Version { major, minor } = wanted;
    let Some(printed) = printed else {
        bail!("{name} is not installed; install {name} {major}.{minor} or later");
    };
    match Version::parse(&printed) {
        Some(version) if version >= wanted => Ok(printed),
        Some(_) => bail!("{name} is too old ({printed}); install {name} {major}.{minor} or later"),
        None => bail!("{name} says that its version is {printed:?}, which can't be understood"),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn versions_are_read_as_the_runtimes_print_them() {
        assert_eq!(
            Version::parse("v20.11.1"),
            Some(Version {
                major: 20,
                minor: 11
            })
        );
        assert_eq!(
            Version::parse("Python 3.9.2"),
            Some(Version { major: 3, minor: 9 })
        );
        assert_eq!(
            Version::parse("go version go1.26.8 linux/amd64"),
            Some(Version {
                major: 1,
                minor: 26
            })
        );
        assert_eq!(
            Version::parse("javac 17.0.15"),
            Some(Version {
                major: 17,
                minor: 0
            })
        );
        assert_eq!(Version::parse("Python 3"), None);
        assert_eq!(Version::parse(""), None);
    }

    #[test]
    fn an_old_or_missing_runtime_is_refused_with_what_to_install() {
        let ok = at_least("Node", Some("v20.0.0".into()), NODE_AT_LEAST);
        assert_eq!(ok.unwrap(), "v20.0.0");
        let old = at_least("Node", Some("v18.20.4".into()), NODE_AT_LEAST).unwrap_err();
        assert_eq!(
            old.to_string(),
            "Node is too old (v18.20.4); install Node 20.0 or later"
        );
        let none = at_least("Python", None, PYTHON_AT_LEAST).unwrap_err();
        assert_eq!(
            none.to_string(),
            "Python is not installed; install Python 3.9 or later"
        );
        assert!(at_least("Python", Some("Python 3.10.0".into()), PYTHON_AT_LEAST).is_ok());
    }

    #[test]
    fn the_preferred_name_wins_over_the_earlier_folder() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        fs::create_dir_all(&first).unwrap();
        fs::create_dir_all(&second).unwrap();
        fs::write(first.join("google-chrome"), "").unwrap();
        fs::write(second.join("chromium"), "").unwrap();
        let search_path = env::join_paths([&first, &second]).unwrap();
        assert_eq!(
            find_program(CHROMIUM_NAMES, &search_path),
            Some(second.join("chromium"))
        );
        assert_eq!(find_program(CHROMIUM_NAMES, &OsString::new()), None);
    }

    #[test]
    fn a_browser_that_does_not_start_is_refused() {
        let error = browser_that_starts(PathBuf::from("backtrail-no-such-browser")).unwrap_err();
        assert!(error.to_string().contains("set CHROMIUM"), "{error}");
    }

    #[test]
    fn the_newest_postgres_is_that_with_the_greatest_number() {
        let dir = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17", "notes"] {
            let programs = dir.path().join(version).join("bin");
            fs::create_dir_all(&programs).unwrap();
            // Of one version only the client is there.
            if version != "17" {
                fs::write(programs.join("initdb"), "").unwrap();
            }
        }
        let newest = newest_postgres(dir.path());
        assert_eq!(newest, Some(dir.path().join("15/bin")));
        assert_eq!(newest_postgres(&dir.path().join("missing")), None);
    }

    #[test]
    fn a_folder_without_the_programs_of_postgres_is_refused() {
        let error = postgres_that_starts(PathBuf::from("backtrail-no-such-folder")).unwrap_err();
        assert!(error.to_string().contains("set POSTGRES_BIN"), "{error}");
    }
}
