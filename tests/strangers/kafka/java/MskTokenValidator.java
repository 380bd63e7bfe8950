import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.security.auth.callback.Callback;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerExtensionsValidatorCallback;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * What a broker of MSK does with an IAM token, as far as its form goes: it computes the signature again, by code of its
 * own, from the secrets in a file (lines "KEY SECRET"), and holds date, region, service, action and the session token's
 * end ("…-until-SECONDS"). Each token that it takes is a line of a log: "KEY REGION SHA-256".
 */
public class MskTokenValidator implements AuthenticateCallbackHandler {
  private Path keys;
  private Path log;

  @Override
  public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
    keys = Path.of((String) entries.get(0).getOptions().get("keys"));
    log = Path.of((String) entries.get(0).getOptions().get("log"));
  }

  @Override
  public void close() {}

  @Override
  public void handle(Callback[] callbacks) {
    for (Callback callback : callbacks) {
      if (callback instanceof OAuthBearerValidatorCallback validator) {
        try {
          validator.token(check(validator.tokenValue()));
        } catch (Exception e) {
          validator.error("invalid_token", null, e.getMessage());
        }
      } else if (callback instanceof OAuthBearerExtensionsValidatorCallback extensions) {
        extensions.inputExtensions().map().keySet().forEach(extensions::valid);
      }
    }
  }

  private static void demand(boolean condition, String what) {
    if (!condition) throw new IllegalArgumentException(what);
  }

  private static byte[] hmac(byte[] key, String text) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String sha256(String text) throws Exception {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(digest);
  }

  private OAuthBearerToken check(String token) throws Exception {
    demand(!token.contains("=") && !token.contains("+") && !token.contains("/"), "not base64url without padding");
    String url = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
    demand(url.startsWith("https://kafka.") && url.contains(".amazonaws.com/?"), "another URL");
    String host = url.substring("https://".length(), url.indexOf("/?"));
    String region = host.substring("kafka.".length(), host.length() - ".amazonaws.com".length());
    Map<String, String> signed = new TreeMap<>();  // as they are on the wire
    List<String> order = new ArrayList<>();
    for (String pair : url.substring(url.indexOf("/?") + 2).split("&")) {
      String name = pair.substring(0, pair.indexOf('='));
      order.add(name);
      signed.put(name, pair.substring(pair.indexOf('=') + 1));
    }
    demand(order.get(order.size() - 1).equals("User-Agent"), "User-Agent is not the last");
    demand(order.get(order.size() - 2).equals("X-Amz-Signature"), "X-Amz-Signature is not the last but one");
    signed.remove("User-Agent");
    String signature = signed.remove("X-Amz-Signature");
    demand(signed.get("Action").equals("kafka-cluster%3AConnect"), "another action");
    demand(signed.get("X-Amz-Algorithm").equals("AWS4-HMAC-SHA256"), "another algorithm");
    demand(signed.get("X-Amz-Expires").equals("900"), "not for 900 seconds");
    demand(signed.get("X-Amz-SignedHeaders").equals("host"), "other headers are signed");
    String date = signed.get("X-Amz-Date");
    String[] scope = URLDecoder.decode(signed.get("X-Amz-Credential"), StandardCharsets.UTF_8).split("/");
    demand(scope.length == 5 && scope[1].equals(date.substring(0, 8)) && scope[2].equals(region)
        && scope[3].equals("kafka-cluster") && scope[4].equals("aws4_request"), "another scope");
    long at = LocalDateTime.parse(date, DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'")).toEpochSecond(ZoneOffset.UTC);
    long now = System.currentTimeMillis() / 1000;
    demand(now >= at - 60 && now < at + 900, "the token has ended");
    long until = at + 900;
    String session = signed.getOrDefault("X-Amz-Security-Token", "");
    if (session.contains("-until-")) until = Math.min(until, Long.parseLong(session.replaceAll(".*-until-", "")));
    demand(now < until, "the session has ended");

    String secret = null;
    for (String line : Files.readAllLines(keys)) {
      if (line.startsWith(scope[0] + " ")) secret = line.substring(scope[0].length() + 1);
    }
    demand(secret != null, "no such access key");
    List<String> query = new ArrayList<>();
    signed.forEach((name, value) -> query.add(name + "=" + value));
    String canonical = "GET\n/\n" + String.join("&", query) + "\nhost:" + host + "\n\nhost\n" + sha256("");
    String toSign = "AWS4-HMAC-SHA256\n" + date + "\n" + String.join("/", List.of(scope).subList(1, 5)) + "\n" + sha256(canonical);
    byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
    for (int i = 1; i < 5; i++) key = hmac(key, scope[i]);
    demand(HexFormat.of().formatHex(hmac(key, toSign)).equals(signature), "the signature does not match");
    Files.writeString(log, scope[0] + " " + region + " " + sha256(token) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);

    final long end = until * 1000, start = at * 1000;
    return new OAuthBearerToken() {
      public String value() { return token; }
      public Set<String> scope() { return Set.of(); }
      public long lifetimeMs() { return end; }
      public String principalName() { return scope[0]; }
      public Long startTimeMs() { return start; }
    };
  }
}
