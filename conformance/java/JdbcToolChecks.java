import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Apache's JDBC driver for Flight SQL as tools use it: prints "ok NAME" or "failed NAME: why" for each check.
 *
 * java -cp DRIVER.jar:HIKARI.jar:SLF4J.jar JdbcToolChecks.java URL
 */
public final class JdbcToolChecks {
  private interface Check {
    void run(Connection connection) throws Exception;
  }

  private static final Map<String, Check> CHECKS = new LinkedHashMap<>();

  private static String url;

  private static void expect(Object actual, Object expected, String what) {
    if (!(expected == null ? actual == null : expected.equals(actual))) {
      throw new AssertionError(what + ": " + actual + " instead of " + expected);
    }
  }

  private interface Work {
    void run() throws Exception;
  }

  /** The message of what is thrown, down to its last cause. */
  private static String refused(String what, Work work) {
    try {
      work.run();
    } catch (Exception error) {
      StringBuilder text = new StringBuilder();
      for (Throwable each = error; each != null; each = each.getCause()) text.append(each).append(' ');
      return text.toString();
    }
    throw new AssertionError(what + " is not refused");
  }

  private static List<String> column(ResultSet rows, String name) throws SQLException {
    List<String> values = new ArrayList<>();
    try (rows) {
      while (rows.next()) values.add(rows.getString(name));
    }
    return values;
  }

  private static void update(Connection connection, String... texts) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : texts) statement.executeUpdate(sql);
    }
  }

  private static Object one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
      if (!rows.next()) throw new AssertionError("no row from " + sql);
      return rows.getObject(1);
    }
  }

  private static void makeTables(Connection c) throws SQLException {
    update(c, "CREATE SCHEMA IF NOT EXISTS tool", "CREATE TABLE IF NOT EXISTS tool.p_a (id INTEGER PRIMARY KEY, \"odd % name\" VARCHAR NOT NULL)",
        "CREATE TABLE IF NOT EXISTS tool.pxa (id INTEGER)",
        "CREATE TABLE IF NOT EXISTS tool.child (c BIGINT, pid INTEGER REFERENCES tool.p_a (id))", "CREATE OR REPLACE VIEW tool.seen AS SELECT * FROM tool.p_a");
  }

  static {
    CHECKS.put("a browser of tables", c -> {
      makeTables(c);
      DatabaseMetaData m = c.getMetaData();
      String escape = m.getSearchStringEscape();
      expect(column(m.getSchemas("memory", "too%"), "TABLE_SCHEM"), List.of("tool"), "schemas");
      expect(column(m.getTables("memory", "tool", "%", null), "TABLE_NAME"), List.of("child", "p_a", "pxa", "seen"), "tables");
      expect(column(m.getTables("memory", "tool", "p" + escape + "_a", null), "TABLE_NAME"), List.of("p_a"), "escaped");
      expect(column(m.getTables("memory", "tool", "p_a", null), "TABLE_NAME"), List.of("p_a", "pxa"), "a pattern");
      expect(column(m.getTables("memory", "tool", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME"), List.of("child", "p_a", "pxa", "seen"), "types");
      expect(column(m.getTables("nowhere", null, "%", null), "TABLE_NAME"), List.of(), "another catalog");
      expect(column(m.getColumns("memory", "tool", "%", "%"), "COLUMN_NAME"), List.of("c", "pid", "id", "odd % name", "id", "id", "odd % name"), "all columns");
      // the driver compares the names of columns by itself, and knows no escape there
      expect(column(m.getColumns("memory", "tool", "p" + escape + "_a", "odd%"), "COLUMN_NAME"), List.of("odd % name"), "one column");
      expect(column(m.getColumns("memory", "tool", "seen", "%"), "TYPE_NAME"), List.of("INTEGER", "VARCHAR"), "types of a view");
      expect(column(m.getImportedKeys("memory", "tool", "child"), "PKTABLE_NAME"), List.of("p_a"), "imported keys");
      expect(column(m.getExportedKeys("memory", "tool", "p_a"), "FKCOLUMN_NAME"), List.of("pid"), "exported keys");
      expect(column(m.getCrossReference("memory", "tool", "p_a", "memory", "tool", "child"), "FKCOLUMN_NAME"), List.of("pid"), "cross reference");
      expect(column(m.getPrimaryKeys("memory", "tool", "pxa"), "COLUMN_NAME"), List.of(), "no key");
    });
    CHECKS.put("the sizes of columns", c -> {
      update(c, "CREATE OR REPLACE TABLE tool_sizes (v VARCHAR, b BLOB, u UUID, j JSON, e ENUM('a'), d DECIMAL(9, 2), i INTEGER, ts TIMESTAMP, dt DATE)");
      try (ResultSet r = c.getMetaData().getColumns(null, null, "tool_sizes", null)) {
        List<String> sizes = new ArrayList<>();
        while (r.next()) sizes.add(r.getString("COLUMN_NAME") + " " + r.getInt("COLUMN_SIZE"));
        // left out, the driver says 65536 of a text, which jOOQ takes for its limit
        expect(sizes, List.of("v 2147483647", "b 2147483647", "u 36", "j 2147483647", "e 2147483647", "d 9", "i 10", "ts 26", "dt 10"), "sizes");
      }
      update(c, "DROP TABLE tool_sizes");
    });
    CHECKS.put("catalog and schema of the URL are those of the session", c -> {
      makeTables(c);
      update(c, "ATTACH IF NOT EXISTS ':memory:' AS jdbc_other", "CREATE TABLE IF NOT EXISTS jdbc_other.main.only_there (i INTEGER)");
      Connection other = DriverManager.getConnection(url + "&catalog=jdbc_other");
      expect(one(other, "SELECT current_database()"), "jdbc_other", "catalog of a statement");
      expect(one(other, "SELECT count(*) FROM only_there"), 0L, "a table by its name alone");
      expect(one(c, "SELECT current_database()"), "memory", "catalog of another connection");
      // the driver throws "Channel shutdown" after it has closed the session
      try {
        other.close();
      } catch (SQLException error) {
        expect(error.toString().contains("shutdown"), true, error.toString());
      }
      update(c, "DETACH jdbc_other");
    });
    CHECKS.put("settings of connections and statements", c -> {
      expect(c.isValid(10), true, "valid");
      expect(c.getWarnings(), null, "warnings");
      c.clearWarnings();
      c.setReadOnly(true);
      c.setReadOnly(false);
      c.getCatalog();
      c.getSchema();
      c.getHoldability();
      c.getClientInfo();
      expect(c.isClosed(), false, "closed");
      try (Statement s = c.createStatement()) {
        s.setFetchSize(10);
        s.setQueryTimeout(60);
        expect(s.getQueryTimeout(), 60, "time-out");
        expect(s.getWarnings(), null, "warnings of a statement");
        try (ResultSet r = s.executeQuery("FROM range(3)")) {
          expect(r.getWarnings(), null, "warnings of a result");
        }
      }
    });
    CHECKS.put("what is told of columns of every type", c -> {
      String sql = "SELECT 1::TINYINT AS a, 1::BIGINT AS b, 1.5::DECIMAL(9,2) AS c, 'x' AS d, DATE '2024-02-29' AS e, TIME '01:02:03' AS f, "
          + "now() AS g, TIMESTAMP '2024-02-29 01:02:03' AS h, 1.5::FLOAT AS i, 'x'::BLOB AS j, uuid() AS k, [1] AS l, {'a': 1} AS m, "
          + "MAP {'k': 1} AS n, INTERVAL 1 DAY AS o, 'a'::ENUM('a') AS p, 1::HUGEINT AS q, 1::UBIGINT AS r, true AS s, '1'::BIT AS t, [1]::INTEGER[1] AS u, NULL AS v";
      Map<String, Integer> types = Map.of("a", Types.TINYINT, "b", Types.BIGINT, "c", Types.DECIMAL, "d", Types.VARCHAR, "e", Types.DATE, "f", Types.TIME,
          "h", Types.TIMESTAMP, "j", Types.VARBINARY, "p", Types.VARCHAR, "s", Types.BOOLEAN);
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
        ResultSetMetaData m = r.getMetaData();
        expect(m.getColumnCount(), 22, "columns");
        for (int i = 1; i <= m.getColumnCount(); i++) {
          String name = m.getColumnLabel(i);
          Integer type = types.get(name);
          if (type != null) expect(m.getColumnType(i), type, "type of " + name);
          m.getPrecision(i);
          m.getScale(i);
          m.getColumnDisplaySize(i);
          m.getColumnClassName(i);
          m.getColumnTypeName(i);
          m.isSigned(i);
          m.isNullable(i);
          m.getCatalogName(i);
          m.getSchemaName(i);
          m.getTableName(i);
          m.isSearchable(i);
          m.isCurrency(i);
          expect(m.isAutoIncrement(i), false, "auto increment of " + name);
        }
        expect(m.getPrecision(3), 9, "precision");
        expect(m.getScale(3), 2, "scale");
        // Spark takes 0 for a VARCHAR(0), which nothing can be written to
        for (int i : new int[] {4, 10, 16}) expect(m.getPrecision(i), Integer.MAX_VALUE, "length of " + m.getColumnLabel(i));
      }
    });
    CHECKS.put("a statement is cancelled by another thread", c -> {
      try (Statement s = c.createStatement()) {
        AtomicBoolean over = new AtomicBoolean();
        Thread canceller = new Thread(() -> {
          while (!over.get()) {
            try {
              Thread.sleep(500);
              if (!over.get()) s.cancel();
            } catch (Exception error) {
              // it may not have begun, or be over
            }
          }
        });
        canceller.start();
        String message;
        try {
          message = refused("the statement", () -> {
            try (ResultSet r = s.executeQuery("SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3")) {
              r.next();
            }
          });
        } finally {
          over.set(true);
          canceller.join();
        }
        expect(message.toLowerCase().matches("(?s).*(cancel|interrupt|closed).*"), true, message);
      }
      expect(one(c, "SELECT 1"), 1, "afterwards");
    });
    CHECKS.put("a time-out of a statement", c -> {
      try (Statement s = c.createStatement()) {
        s.setQueryTimeout(1);
        refused("the statement", () -> {
          try (ResultSet r = s.executeQuery("SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3")) {
            r.next();
          }
        });
      }
      expect(one(c, "SELECT 1"), 1, "afterwards");
    });
    CHECKS.put("several results are open at once", c -> {
      try (Statement a = c.createStatement(); Statement b = c.createStatement(); PreparedStatement p = c.prepareStatement("SELECT ?::BIGINT + range FROM range(50000)")) {
        p.setLong(1, 7);
        try (ResultSet x = a.executeQuery("FROM range(50000)"); ResultSet y = b.executeQuery("SELECT -range FROM range(50000)"); ResultSet z = p.executeQuery()) {
          for (long i = 0; i < 50000; i++) {
            if (!x.next() || !y.next() || !z.next()) throw new AssertionError("too few rows: " + i);
            if (x.getLong(1) != i || y.getLong(1) != -i || z.getLong(1) != i + 7) throw new AssertionError("row " + i);
          }
          expect(x.next() || y.next() || z.next(), false, "more rows");
        }
      }
    });
    CHECKS.put("a batch with an error in its midst leaves nothing", c -> {
      update(c, "CREATE OR REPLACE TABLE tool_batch (i INTEGER PRIMARY KEY, s VARCHAR)");
      try (PreparedStatement p = c.prepareStatement("INSERT INTO tool_batch VALUES (?, ?)")) {
        for (int i : new int[] {1, 2, 2, 3}) {
          p.setInt(1, i);
          p.setString(2, "s" + i);
          p.addBatch();
        }
        String message = refused("the batch", p::executeBatch);
        expect(message.contains("onstraint"), true, message);
      }
      expect(one(c, "SELECT count(*) FROM tool_batch"), 0L, "rows");
      try (Statement s = c.createStatement()) {
        s.addBatch("INSERT INTO tool_batch VALUES (1, 'a')");
        s.addBatch("INSERT INTO tool_batch VALUES (1, 'b')");
        refused("a batch of texts", s::executeBatch);
      } catch (BatchUpdateException error) {
        throw new AssertionError(error);
      }
      update(c, "DROP TABLE tool_batch");
    });
    CHECKS.put("a prepared statement runs a thousand times", c -> {
      update(c, "CREATE OR REPLACE TABLE tool_many (i BIGINT)");
      try (PreparedStatement insert = c.prepareStatement("INSERT INTO tool_many VALUES (?)"); PreparedStatement select = c.prepareStatement("SELECT ?::BIGINT * 2")) {
        for (long i = 0; i < 1000; i++) {
          if (i % 4 == 0) {
            insert.setLong(1, i);
            expect(insert.executeUpdate(), 1, "inserted");
          }
          select.setLong(1, i);
          try (ResultSet r = select.executeQuery()) {
            expect(r.next(), true, "a row");
            expect(r.getLong(1), 2 * i, "value");
          }
        }
      }
      expect(one(c, "SELECT count(DISTINCT i) FROM tool_many"), 250L, "rows");
      update(c, "DROP TABLE tool_many");
    });
    CHECKS.put("what is told of parameters", c -> {
      try (PreparedStatement p = c.prepareStatement("SELECT ?::INTEGER, ?::VARCHAR, ?::DECIMAL(9,2), ?::DATE, ?")) {
        ParameterMetaData m = p.getParameterMetaData();
        expect(m.getParameterCount(), 5, "parameters");
        // the driver cuts off what an integer has no room for, so all are told as the widest
        expect(m.getParameterType(1), Types.BIGINT, "INTEGER");
        expect(m.getParameterType(2), Types.VARCHAR, "VARCHAR");
        expect(m.getParameterType(3), Types.DECIMAL, "DECIMAL");
        expect(m.getParameterType(4), Types.DATE, "DATE");
        expect(m.getParameterType(5), Types.VARCHAR, "unknown");
      }
    });
    CHECKS.put("numbers that a column has no room for are refused", c -> {
      update(c, "CREATE OR REPLACE TABLE tool_small (t TINYINT, i INTEGER, u UTINYINT)");
      try (PreparedStatement p = c.prepareStatement("INSERT INTO tool_small VALUES (?, ?, ?)")) {
        for (long[] row : new long[][] {{-128, Integer.MIN_VALUE, 0}, {127, Integer.MAX_VALUE, 255}, {1, 5_000_000_000L, 1}}) {
          for (int i = 0; i < 3; i++) p.setLong(i + 1, row[i]);
          p.addBatch();
        }
        String message = refused("the batch", p::executeBatch);
        expect(message.contains("INTEGER, which has no room for 5000000000 (row 3"), true, message);
        expect(one(c, "SELECT count(*) FROM tool_small"), 0L, "rows");
        p.setByte(1, (byte) -128);
        p.setInt(2, Integer.MAX_VALUE);
        p.setShort(3, (short) 255);
        expect(p.executeUpdate(), 1, "inserted");
      }
      try (PreparedStatement p = c.prepareStatement("SELECT i, t, u FROM tool_small WHERE i = ? AND t = ?")) {
        p.setLong(1, Integer.MAX_VALUE + (1L << 32));
        p.setInt(2, -128);
        String message = refused("the query", p::executeQuery);
        expect(message.contains("has no room for 6442450943"), true, message);
        p.setInt(1, Integer.MAX_VALUE);
        try (ResultSet r = p.executeQuery()) {
          expect(r.next(), true, "a row");
          expect(r.getInt(1) + " " + r.getInt(2) + " " + r.getInt(3), "2147483647 -128 255", "row");
        }
      }
      update(c, "DROP TABLE tool_small");
    });
    CHECKS.put("transactions by SQL", c -> {
      try (Connection mine = DriverManager.getConnection(url)) {
        update(mine, "BEGIN", "CREATE TABLE tool_txn (i INTEGER)", "INSERT INTO tool_txn VALUES (1)");
        expect(one(mine, "SELECT count(*) FROM tool_txn"), 1L, "inside");
        refused("from outside", () -> one(c, "SELECT count(*) FROM tool_txn"));
        update(mine, "ROLLBACK");
        refused("rolled back", () -> one(mine, "SELECT count(*) FROM tool_txn"));
        update(mine, "BEGIN", "CREATE TABLE tool_txn (i INTEGER)", "COMMIT");
      }
      expect(one(c, "SELECT count(*) FROM tool_txn"), 0L, "committed");
      update(c, "DROP TABLE tool_txn");
    });
    CHECKS.put("a pool of connections", c -> {
      HikariConfig config = new HikariConfig();
      config.setDriverClassName("org.apache.arrow.driver.jdbc.ArrowFlightJdbcDriver");
      config.setJdbcUrl(url);
      config.setUsername("me");
      config.setPassword("secret");
      config.setMaximumPoolSize(4);
      config.setConnectionTestQuery("SELECT 1");
      config.setConnectionTimeout(120_000);
      config.setValidationTimeout(60_000);
      try (HikariDataSource pool = new HikariDataSource(config)) {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
          List<Future<Long>> all = new ArrayList<>();
          for (long i = 0; i < 64; i++) {
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
          for (int i = 0; i < 64; i++) expect(all.get(i).get(), i + 1L, "answer");
        } finally {
          threads.shutdown();
        }
      }
    });
    CHECKS.put("user, password and token by URL and properties", c -> {
      for (String more : List.of("&user=me&password=secret", "&token=anything")) {
        try (Connection other = DriverManager.getConnection(url + more)) {
          expect(one(other, "SELECT 42"), 42, more);
        }
      }
    });
    CHECKS.put("nobody there", c -> {
      String closed = refused("a closed port", () -> one(DriverManager.getConnection("jdbc:arrow-flight-sql://127.0.0.1:1/?useEncryption=false"), "SELECT 1"));
      expect(closed.contains("127.0.0.1"), true, closed);
      String unknown = refused("an unknown host", () -> one(DriverManager.getConnection("jdbc:arrow-flight-sql://nobody.invalid:8815/?useEncryption=false"), "SELECT 1"));
      expect(unknown.contains("nresolved"), true, unknown);
    });
  }

  /** @param arguments - the URL, or `--list` to name the checks */
  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("--list")) {
      for (String name : CHECKS.keySet()) System.out.println(name);
      return;
    }
    url = arguments[0];
    for (Map.Entry<String, Check> check : CHECKS.entrySet()) {
      if (arguments.length > 1 && !check.getKey().contains(arguments[1])) continue;
      try (Connection connection = DriverManager.getConnection(url)) {
        check.getValue().run(connection);
        System.out.println("ok " + check.getKey());
      } catch (Throwable error) {
        System.out.println("failed " + check.getKey() + ": " + String.valueOf(error).replace('\n', ' '));
        if (System.getenv("TRACE") != null) error.printStackTrace();
      }
    }
    System.exit(0);
  }
}
