import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * A service that knows nothing of tracing: the agent adds that. `/` asks the service at NEXT_URL; `/orders/13` fails, logs the
 * exception and answers 500.
 */
public final class Orders {
  private static final Logger LOGGER = Logger.getLogger("orders");

  private final HttpClient client = HttpClient.newHttpClient();

  public static void main(String[] args) throws IOException {
    var orders = new Orders();
    var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", orders::relay);
    server.createContext("/orders", orders::order);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.start();
    System.out.println("listens on http://127.0.0.1:" + server.getAddress().getPort());
  }

  private void relay(HttpExchange exchange) throws IOException {
    try {
      var request = HttpRequest.newBuilder(URI.create(System.getenv("NEXT_URL"))).build();
      var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      respond(exchange, answer.statusCode(), "java > " + answer.body());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      respond(exchange, 503, "interrupted");
    }
  }

  private void order(HttpExchange exchange) throws IOException {
    try {
      price(exchange.getRequestURI().getPath());
      respond(exchange, 200, "ordered");
    } catch (IllegalStateException e) {
      LOGGER.log(Level.SEVERE, "the order failed", e);
      respond(exchange, 500, e.getMessage());
    }
  }

  private static void price(String path) {
    if (path.endsWith("/13")) {
      throw new IllegalStateException("no price for " + path);
    }
  }

  private static void respond(HttpExchange exchange, int status, String text) throws IOException {
    var body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, body.length);
    try (var stream = exchange.getResponseBody()) {
      stream.write(body);
    }
  }
}
