//! The eight services of the shop: what they are written in, and how their spans reach us.

/// One service, one process of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) language: Language,
    pub(super) host: &'static str,
    pub(super) port: u16,
    pub(super) wire: Wire,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Go,
    Java,
    JavaScript,
    Python,
    Rust,
}

/// How a service's spans are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Wire {
    OtlpGrpc,
    OtlpProtobuf,
    OtlpJson,
    JaegerThrift,
}

macro_rules! service {
    ($constant:ident, $name:literal, $version:literal, $language:ident, $port:literal, $wire:ident) => {
        pub(super) static $constant: Service = Service {
            name: $name,
            version: $version,
            language: Language::$language,
            host: concat!($name, "-5d8f7c9b4-x2x7k"),
            port: $port,
            wire: Wire::$wire,
        };
    };
}

service!(FRONTEND, "frontend", "4.11.0", JavaScript, 8080, OtlpJson);
service!(CART, "cart", "2.3.1", JavaScript, 7070, JaegerThrift);
service!(CHECKOUT, "checkout", "3.2.0", Java, 5050, OtlpGrpc);
service!(PAYMENT, "payment", "1.9.4", Java, 6060, OtlpGrpc);
service!(SHIPPING, "shipping", "0.8.2", Go, 9090, OtlpProtobuf);
service!(CATALOG, "catalog", "5.0.3", Python, 8000, OtlpProtobuf);
service!(INVENTORY, "inventory", "1.4.0", Rust, 5051, OtlpProtobuf);
service!(EMAIL, "email", "2.0.0", Python, 8001, OtlpProtobuf);

/// All of them.
pub(super) static SERVICES: [&Service; 8] = [
    &FRONTEND, &CART, &CHECKOUT, &PAYMENT, &SHIPPING, &CATALOG, &INVENTORY, &EMAIL,
];

impl Language {
    /// The value of `telemetry.sdk.language`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Java => "java",
            Self::JavaScript => "nodejs",
            Self::Python => "python",
            Self::Rust => "rust",
        }
    }

    pub(super) const fn sdk_version(self) -> &'static str {
        match self {
            Self::Go => "1.38.0",
            Self::Java => "1.55.0",
            Self::JavaScript => "2.2.0",
            Self::Python => "1.38.0",
            Self::Rust => "0.31.0",
        }
    }
}

/// What wrote a span: an instrumentation library, or the service itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    HttpServer,
    HttpClient,
    Rpc,
    Database,
    Cache,
    Messaging,
    Own,
}

/// An instrumentation scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

impl Service {
    /// The scope of this service's spans of one layer.
    pub(super) const fn scope(&self, layer: Layer) -> Scope {
        let (name, version) = match (self.language, layer) {
            (_, Layer::Own) => (self.name, self.version),
            (Language::JavaScript, Layer::HttpServer | Layer::HttpClient) => {
                ("@opentelemetry/instrumentation-http", "0.208.0")
            }
            (Language::JavaScript, Layer::Cache) => {
                ("@opentelemetry/instrumentation-redis", "0.57.0")
            }
            (Language::JavaScript, Layer::Database) => {
                ("@opentelemetry/instrumentation-pg", "0.61.0")
            }
            (Language::JavaScript, Layer::Messaging) => {
                ("@opentelemetry/instrumentation-kafkajs", "0.18.0")
            }
            (Language::JavaScript, Layer::Rpc) => {
                ("@opentelemetry/instrumentation-grpc", "0.208.0")
            }
            (Language::Java, Layer::HttpServer) => {
                ("io.opentelemetry.spring-webmvc-6.0", "2.21.0-alpha")
            }
            (Language::Java, Layer::HttpClient) => {
                ("io.opentelemetry.java-http-client", "2.21.0-alpha")
            }
            (Language::Java, Layer::Rpc) => ("io.opentelemetry.grpc-1.6", "2.21.0-alpha"),
            (Language::Java, Layer::Database) => ("io.opentelemetry.jdbc", "2.21.0-alpha"),
            (Language::Java, Layer::Cache) => ("io.opentelemetry.lettuce-5.1", "2.21.0-alpha"),
            (Language::Java, Layer::Messaging) => {
                ("io.opentelemetry.kafka-clients-0.11", "2.21.0-alpha")
            }
            (Language::Python, Layer::HttpServer) => {
                ("opentelemetry.instrumentation.fastapi", "0.59b0")
            }
            (Language::Python, Layer::HttpClient) => {
                ("opentelemetry.instrumentation.httpx", "0.59b0")
            }
            (Language::Python, Layer::Rpc) => ("opentelemetry.instrumentation.grpc", "0.59b0"),
            (Language::Python, Layer::Database) => {
                ("opentelemetry.instrumentation.psycopg", "0.59b0")
            }
            (Language::Python, Layer::Cache) => ("opentelemetry.instrumentation.redis", "0.59b0"),
            (Language::Python, Layer::Messaging) => {
                ("opentelemetry.instrumentation.confluent_kafka", "0.59b0")
            }
            (Language::Go, Layer::HttpServer | Layer::HttpClient) => (
                "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
                "0.63.0",
            ),
            (Language::Go, Layer::Rpc) => (
                "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc",
                "0.63.0",
            ),
            (Language::Go, Layer::Database) => ("github.com/XSAM/otelsql", "0.40.0"),
            (Language::Go, Layer::Cache) => ("github.com/redis/go-redis/extra/redisotel", "9.14.0"),
            (Language::Go, Layer::Messaging) => ("github.com/twmb/franz-go/plugin/kotel", "1.6.0"),
            (Language::Rust, _) => (self.name, self.version),
        };
        Scope { name, version }
    }
}
