import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Apache's JDBC driver for Flight SQL over TLS, against accounts: prints "ok NAME" or "failed NAME: why" for each check.
 *
 * java -cp DRIVER.jar:HIKARI.jar:SLF4J.jar JdbcSecureChecks.java URL PLAINTEXT-PORT FOLDER-OF-CERTIFICATES
 */
public final class JdbcSecureChecks {
  private interface Check {
    void run() throws Exception;
  }

  private static final Map<String, Check> CHECKS = new LinkedHashMap<>();

  private static String url;
  private static String plainUrl;
  private static String folder;

  private static final String ALICE = "&user=alice&password=se:cret";

  private static void expect(Object actual, Object expected, String what) {
    if (!(expected == null ? actual == null : expected.equals(actual))) {
      throw new AssertionError(what + ": " + actual + " instead of " + expected);
    }
  }

  /** The message of the SQLException that is thrown, down to its last cause. */
  private static String refused(String what, Check work) throws Exception {
    try {
      work.run();
    } catch (SQLException error) {
      StringBuilder text = new StringBuilder();
      for (Throwable each = error; each != null; each = each.getCause()) text.append(each).append(' ');
      return text.toString();
    }
    throw new AssertionError(what + " is not refused");
  }

  private static void mentions(String message, String pattern) {
    if (!message.matches("(?is).*(" + pattern + ").*")) throw new AssertionError("not /" + pattern + "/: " + message);
  }

  private static Object one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
      if (!rows.next()) throw new AssertionError("no row from " + sql);
      return rows.getObject(1);
    }
  }

  private static void answers(String address) throws Exception {
    try (Connection connection = DriverManager.getConnection(address)) {
      expect(one(connection, "SELECT 42"), 42, "answer");
    }
  }

  private static String file(String name) {
    return Path.of(folder, name).toString();
  }

  /** A trust store with the certificate of a file. */
  private static String trustStore(String certificate) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (InputStream in = new FileInputStream(file(certificate))) {
      store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    String path = file(certificate + ".p12");
    try (OutputStream out = new FileOutputStream(path)) {
      store.store(out, "changeit".toCharArray());
    }
    return path;
  }

  private static String trusted() {
    return url + "&useSystemTrustStore=false&tlsRootCerts=" + file("ca.crt");
  }

  static {
    CHECKS.put("TLS with the authority in a file", () -> answers(trusted() + ALICE));
    CHECKS.put("TLS with the authority in a trust store", () ->
        answers(url + ALICE + "&useSystemTrustStore=false&trustStore=" + trustStore("ca.crt") + "&trustStorePassword=changeit"));
    CHECKS.put("TLS without a look at the certificate", () -> answers(url + ALICE + "&disableCertificateVerification=true"));
    CHECKS.put("an authority that is not trusted", () -> {
      mentions(refused("the system's trust store", () -> answers(url + ALICE)), "certification path|certificate|SSL");
      String other = url + ALICE + "&useSystemTrustStore=false&trustStorePassword=changeit&trustStore=" + trustStore("client.crt");
      mentions(refused("another authority", () -> answers(other)), "certification path|certificate|SSL");
    });
    CHECKS.put("a trust store with another password", () -> {
      String wrong = url + ALICE + "&useSystemTrustStore=false&trustStore=" + trustStore("ca.crt") + "&trustStorePassword=wrong";
      mentions(refused("the password", () -> answers(wrong)), "password");
    });
    CHECKS.put("TLS spoken to plaintext, and plaintext to TLS", () -> {
      refused("TLS to plaintext", () -> answers(plainUrl.replace("useEncryption=false", "useEncryption=true") + ALICE + "&disableCertificateVerification=true"));
      refused("plaintext to TLS", () -> answers(url.replace("useEncryption=true", "useEncryption=false") + ALICE));
    });
    CHECKS.put("a certificate instead of a password", () -> {
      answers(trusted() + "&clientCertificate=" + file("client.crt") + "&clientKey=" + file("client.key"));
      mentions(refused("nobody", () -> answers(trusted())), "UNAUTHENTICATED");
    });
    CHECKS.put("user and password, in the URL and as properties", () -> {
      answers(plainUrl + ALICE);
      Properties properties = new Properties();
      properties.put("user", "alice");
      properties.put("password", "se:cret");
      try (Connection connection = DriverManager.getConnection(plainUrl, properties)) {
        expect(one(connection, "SELECT 42"), 42, "answer");
      }
    });
    CHECKS.put("a token", () -> {
      answers(plainUrl + "&token=letmein");
      answers(trusted() + "&token=letmein");
    });
    CHECKS.put("a wrong password, user and token", () -> {
      for (String wrong : List.of("&user=alice&password=secret", "&user=bob&password=se:cret")) {
        for (String address : List.of(plainUrl, trusted())) {
          mentions(refused(wrong, () -> answers(address + wrong)), "wrong user name or password");
        }
      }
      mentions(refused("a token", () -> answers(plainUrl + "&token=letmeout")), "the bearer token is unknown");
      mentions(refused("nobody", () -> answers(plainUrl)), "UNAUTHENTICATED");
    });
    CHECKS.put("what one has prepared is not another's", () -> {
      try (Connection alice = DriverManager.getConnection(plainUrl + ALICE); Connection bot = DriverManager.getConnection(plainUrl + "&token=letmein")) {
        try (PreparedStatement p = alice.prepareStatement("SELECT ?::INTEGER + 1"); PreparedStatement q = bot.prepareStatement("SELECT ?::INTEGER + 2")) {
          for (int i = 0; i < 10; i++) {
            p.setInt(1, i);
            q.setInt(1, i);
            try (ResultSet x = p.executeQuery(); ResultSet y = q.executeQuery()) {
              expect(x.next() && y.next(), true, "rows");
              expect(x.getInt(1) + 1, y.getInt(1), "sums");
            }
          }
        }
      }
    });
    CHECKS.put("a pool of 16 threads over TLS", () -> {
      HikariConfig config = new HikariConfig();
      config.setDriverClassName("org.apache.arrow.driver.jdbc.ArrowFlightJdbcDriver");
      config.setJdbcUrl(trusted());
      config.setUsername("alice");
      config.setPassword("se:cret");
      config.setMaximumPoolSize(4);
      config.setConnectionTestQuery("SELECT 1");
      config.setConnectionTimeout(120_000);
      config.setValidationTimeout(60_000);
      try (HikariDataSource pool = new HikariDataSource(config)) {
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try {
          List<Future<Long>> all = new ArrayList<>();
          for (long i = 0; i < 160; i++) {
            long number = i;
            all.add(threads.submit(() -> {
              try (Connection each = pool.getConnection(); PreparedStatement p = each.prepareStatement("SELECT ?::BIGINT + 1")) {
                p.setLong(1, number);
                try (ResultSet r = p.executeQuery()) {
                  r.next();
                  return r.getLong(1);
                }
              }
            }));
          }
          for (int i = 0; i < 160; i++) expect(all.get(i).get(), i + 1L, "answer");
        } finally {
          threads.shutdown();
        }
      }
    });
    CHECKS.put("rows and updates over TLS", () -> {
      try (Connection c = DriverManager.getConnection(trusted() + ALICE); Statement s = c.createStatement()) {
        s.executeUpdate("CREATE TABLE secured AS SELECT range AS i, 'row ' || range AS s FROM range(300000)");
        long sum = 0;
        try (ResultSet r = s.executeQuery("FROM secured")) {
          while (r.next()) sum += r.getLong(1) + r.getString(2).length();
        }
        expect(sum, 44999850000L + 300000L * 4 + 10 + 90 * 2 + 900 * 3 + 9000 * 4 + 90000 * 5 + 200000 * 6, "sum");
        expect(s.executeUpdate("DELETE FROM secured WHERE i < 10"), 10, "deleted");
        s.executeUpdate("DROP TABLE secured");
      }
    });
  }

  /** @param arguments - the URL with TLS, the port without and the folder of certificates, or `--list` to name the checks */
  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("--list")) {
      for (String name : CHECKS.keySet()) System.out.println(name);
      return;
    }
    url = arguments[0];
    plainUrl = "jdbc:arrow-flight-sql://127.0.0.1:" + arguments[1] + "/?useEncryption=false";
    folder = arguments[2];
    for (Map.Entry<String, Check> check : CHECKS.entrySet()) {
      if (arguments.length > 3 && !check.getKey().contains(arguments[3])) continue;
      try {
        check.getValue().run();
        System.out.println("ok " + check.getKey());
      } catch (Throwable error) {
        System.out.println("failed " + check.getKey() + ": " + String.valueOf(error).replace('\n', ' '));
        if (System.getenv("TRACE") != null) error.printStackTrace();
      }
    }
    System.exit(0);
  }
}
