import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Write a greeting on a picture: java Greeting.java PICTURE GREETING [COPIES]. */
public class Greeting {
    private static final URI API = URI.create("https://api.aimlapi.com/v1/images/generations");

    public static void main(String[] arguments) throws Exception {
        String body = """
            {"model": "google/gemini-2.5-flash-image-edit", "prompt": "Write '%s' on it", "image_urls": ["%s"], "num_images": %s}
            """.formatted(arguments[1], arguments[0], arguments.length > 2 ? arguments[2] : "1");
        HttpRequest request = HttpRequest.newBuilder(API)
            .header("Authorization", "Bearer " + System.getenv("AIMLAPI_KEY"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.statusCode() == 200 ? response.body() : "");
    }
}
