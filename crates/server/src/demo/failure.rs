//! What goes wrong in the shop, with the stack traces that each language writes.

use super::service::Language;

/// An exception.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    language: Language,
    /// `exception.type`.
    pub(super) class: &'static str,
    /// `exception.message`.
    pub(super) message: String,
    frames: &'static str,
}

impl Failure {
    /// As the language's runtime prints it: Python puts the message last, Go has no exceptions.
    pub(super) fn stacktrace(&self) -> String {
        let Self {
            class,
            message,
            frames,
            ..
        } = self;
        match self.language {
            Language::Java | Language::JavaScript => format!("{class}: {message}\n{frames}"),
            Language::Python => {
                format!("Traceback (most recent call last):\n{frames}\n{class}: {message}")
            }
            Language::Rust => format!("{message}\n\nStack backtrace:\n{frames}"),
            Language::Go => format!("goroutine 4711 [running]:\n{frames}"),
        }
    }

    pub(super) fn gateway_timeout() -> Self {
        Self {
            language: Language::Java,
            class: "java.net.http.HttpTimeoutException",
            message: "request timed out".to_owned(),
            frames: "\
\tat java.net.http/jdk.internal.net.http.HttpClientImpl.send(HttpClientImpl.java:958)
\tat java.net.http/jdk.internal.net.http.HttpClientFacade.send(HttpClientFacade.java:133)
\tat shop.payment.gateway.GatewayClient.post(GatewayClient.java:88)
\tat shop.payment.gateway.GatewayClient.authorize(GatewayClient.java:61)
\tat shop.payment.ChargeService.charge(ChargeService.java:47)
\tat shop.payment.api.ChargeController.create(ChargeController.java:33)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:580)
\tat org.springframework.web.method.support.InvocableHandlerMethod.doInvoke(InvocableHandlerMethod.java:258)",
        }
    }

    pub(super) fn payment_unreadable(order: &str) -> Self {
        Self {
            language: Language::Java,
            class: "shop.payment.gateway.GatewayProtocolException",
            message: format!("authorization of {order} has no field \"risk_score\""),
            frames: "\
\tat shop.payment.gateway.AuthorizationReader.read(AuthorizationReader.java:52)
\tat shop.payment.gateway.GatewayClient.authorize(GatewayClient.java:67)
\tat shop.payment.ChargeService.charge(ChargeService.java:47)
\tat shop.payment.api.ChargeController.create(ChargeController.java:33)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:580)
\tat org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1089)
\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:885)
Caused by: java.lang.NullPointerException: Cannot invoke \"com.fasterxml.jackson.databind.JsonNode.asInt()\" because the return value of \"com.fasterxml.jackson.databind.JsonNode.get(String)\" is null
\tat shop.payment.gateway.AuthorizationReader.riskScore(AuthorizationReader.java:71)
\tat shop.payment.gateway.AuthorizationReader.read(AuthorizationReader.java:49)
\t... 6 more",
        }
    }

    pub(super) fn price_missing() -> Self {
        Self {
            language: Language::JavaScript,
            class: "TypeError",
            message: "Cannot read properties of undefined (reading 'amount')".to_owned(),
            frames: "    at formatPrice (/srv/frontend/dist/render/price.js:14:31)
    at ProductCard (/srv/frontend/dist/render/product-card.js:42:18)
    at Array.map (<anonymous>)
    at renderRecommendations (/srv/frontend/dist/render/recommendations.js:27:9)
    at renderPage (/srv/frontend/dist/render/page.js:88:5)
    at process.processTicksAndRejections (node:internal/process/task_queues:103:5)
    at async handler (/srv/frontend/dist/routes/products.js:31:16)",
        }
    }

    pub(super) fn search_canceled() -> Self {
        Self {
            language: Language::Python,
            class: "psycopg.errors.QueryCanceled",
            message: "canceling statement due to statement timeout".to_owned(),
            frames: "  File \"/app/catalog/api/search.py\", line 58, in search
    rows = await products.matching(text, limit=limit)
  File \"/app/catalog/store/products.py\", line 121, in matching
    await cursor.execute(MATCHING, {\"text\": f\"%{text}%\", \"limit\": limit})
  File \"/app/.venv/lib/python3.13/site-packages/psycopg/cursor_async.py\", line 97, in execute
    raise ex.with_traceback(None)",
        }
    }

    pub(super) fn mail_disconnected() -> Self {
        Self {
            language: Language::Python,
            class: "smtplib.SMTPServerDisconnected",
            message: "Connection unexpectedly closed".to_owned(),
            frames: "  File \"/app/email/worker.py\", line 74, in handle
    send_confirmation(order)
  File \"/app/email/confirmation.py\", line 31, in send_confirmation
    smtp.send_message(message)
  File \"/usr/local/lib/python3.13/smtplib.py\", line 986, in send_message
    return self.sendmail(from_addr, to_addrs, flatmsg, mail_options, rcpt_options)
  File \"/usr/local/lib/python3.13/smtplib.py\", line 404, in getreply
    raise SMTPServerDisconnected(\"Connection unexpectedly closed\")",
        }
    }

    pub(super) fn stock_pool_empty() -> Self {
        Self {
            language: Language::Rust,
            class: "inventory::stock::ReserveError",
            message: "can't reserve stock: no free connection within 800 ms (16 of 16 in use)"
                .to_owned(),
            frames: "   0: inventory::stock::Stock::reserve::{{closure}}
             at ./src/stock/reserve.rs:63:18
   1: inventory::grpc::InventoryService::reserve::{{closure}}
             at ./src/grpc.rs:41:14
   2: tonic::server::grpc::Grpc<T>::unary::{{closure}}
   3: <tower_http::trace::ResponseFuture<Fut,B,C> as core::future::future::Future>::poll
   4: tokio::runtime::task::harness::Harness<T,S>::poll
   5: std::sys::backtrace::__rust_begin_short_backtrace",
        }
    }

    pub(super) fn label_panic() -> Self {
        Self {
            language: Language::Go,
            class: "runtime.boundsError",
            message: "index out of range [0] with length 0".to_owned(),
            frames: "shop/shipping/label.(*Printer).Print(0xc0001a2000, {0xc000312180, 0x0, 0x0})
\t/src/shipping/label/printer.go:71 +0x1d4
shop/shipping/api.(*Server).quote(0xc00012e0c0, {0x9d3c20, 0xc0002b6000}, 0xc0002b8000)
\t/src/shipping/api/quote.go:52 +0x2a5
net/http.HandlerFunc.ServeHTTP(0xc0000b4010?, {0x9d3c20?, 0xc0002b6000?}, 0x0?)
\t/usr/local/go/src/net/http/server.go:2322 +0x29",
        }
    }
}
