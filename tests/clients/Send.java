import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;

/** Java's HttpClient at its defaults, which offer HTTP/2 by Upgrade: java Send.java URL KEY CONTENT_PATH FILE. */
public class Send {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest.Builder asked = HttpRequest.newBuilder().header("Authorization", "Bearer " + arguments[1]);
        HttpRequest put = asked.uri(URI.create(arguments[0] + arguments[2]))
            .PUT(HttpRequest.BodyPublishers.ofFile(Path.of(arguments[3]))).build();
        tell(client.send(put, HttpResponse.BodyHandlers.ofString()));
        HttpRequest post = asked.uri(URI.create(arguments[0] + "/v1/datasets")).header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"name\": \"of Java\"}")).build();
        tell(client.send(post, HttpResponse.BodyHandlers.ofString()));
        tell(client.send(asked.uri(URI.create(arguments[0] + "/v1/protocols")).GET().build(),
            HttpResponse.BodyHandlers.ofString()));
    }

    private static void tell(HttpResponse<String> answer) {
        System.out.println(answer.statusCode() + " " + answer.version() + " " + answer.headers().firstValue("location").orElse("-"));
    }
}
