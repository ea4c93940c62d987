//! Who sent a request.

/// How many services of one request are named.
const MAX_NAMES: usize = 16;
/// A name is what the client sent, so it is cut after this many bytes.
const MAX_NAME_BYTES: usize = 200;

/// Names of the services in a request, each once: the first few, for telling people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceNames(Vec<String>);

impl ServiceNames {
    /// Adds a name unless it is there, or there are enough.
    pub fn add(&mut self, name: &str) {
        let name = &name[..name.floor_char_boundary(MAX_NAME_BYTES)];
        if self.0.len() < MAX_NAMES && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    /// The names in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_few_services_with_short_names() {
        let mut names = ServiceNames::default();
        names.add(&"ü".repeat(1_000));
        for service in 0..1_000 {
            names.add("shop");
            names.add(&format!("service {service}"));
        }
        let names: Vec<_> = names.iter().collect();
        assert_eq!(names.len(), MAX_NAMES);
        assert_eq!(names[0], "ü".repeat(MAX_NAME_BYTES / 2));
        assert_eq!(names[1..3], ["shop", "service 0"]);
    }
}
