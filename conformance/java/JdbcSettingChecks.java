import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What the settings of Apache's JDBC driver for Flight SQL do, and what it refuses: prints "ok NAME" or "failed NAME: why"
 * for each check.
 *
 * java -cp DRIVER.jar:HIKARI.jar:SLF4J.jar JdbcSettingChecks.java URL
 */
public final class JdbcSettingChecks {
  private interface Check {
    void run(Connection connection) throws Exception;
  }

  private interface Work {
    Object run() throws Exception;
  }

  private static final Map<String, Check> CHECKS = new LinkedHashMap<>();

  private static String url;

  private static void expect(Object actual, Object expected, String what) {
    if (!(expected == null ? actual == null : expected.equals(actual))) {
      throw new AssertionError(what + ": " + actual + " instead of " + expected);
    }
  }

  private static void update(Connection connection, String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements) statement.executeUpdate(sql);
    }
  }

  private static Object one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
      if (!rows.next()) throw new AssertionError("no row from " + sql);
      return rows.getObject(1);
    }
  }

  private static int count(ResultSet rows) throws SQLException {
    int count = 0;
    try (rows) {
      while (rows.next()) count++;
    }
    return count;
  }

  /** The driver refuses what it cannot do, by the exception that JDBC has for it. */
  private static void notSupported(String what, Work work) throws Exception {
    try {
      work.run();
    } catch (SQLFeatureNotSupportedException expected) {
      return;
    }
    throw new AssertionError(what + " is not refused");
  }

  static {
    CHECKS.put("setMaxRows cuts every kind of result", c -> {
      try (Statement s = c.createStatement()) {
        expect(s.getMaxRows(), 0, "no limit");
        s.setMaxRows(3);
        expect(count(s.executeQuery("FROM range(1000)")), 3, "executeQuery");
        expect(s.execute("FROM range(200000)"), true, "execute gives rows");
        expect(count(s.getResultSet()), 3, "execute");
        expect(count(s.executeQuery("FROM range(2)")), 2, "fewer");
        s.setLargeMaxRows(4);
        expect(s.getLargeMaxRows(), 4L, "large");
        expect(count(s.executeQuery("FROM range(1000)")), 4, "setLargeMaxRows");
        s.setMaxRows(0);
        expect(count(s.executeQuery("FROM range(1000)")), 1000, "no limit again");
      }
      try (PreparedStatement p = c.prepareStatement("SELECT range + ?::BIGINT FROM range(1000)")) {
        p.setMaxRows(5);
        p.setLong(1, 1);
        expect(count(p.executeQuery()), 5, "prepared");
        expect(count(p.executeQuery()), 5, "prepared, again");
      }
      // what was cut off keeps nothing: the connection goes on at once
      expect(one(c, "SELECT 1"), 1, "afterwards");
    });
    CHECKS.put("fetch size, time-out and direction are kept", c -> {
      try (Statement s = c.createStatement()) {
        s.setFetchSize(77);
        expect(s.getFetchSize(), 77, "fetch size");
        s.setFetchDirection(ResultSet.FETCH_FORWARD);
        expect(s.getFetchDirection(), ResultSet.FETCH_FORWARD, "direction");
        s.setQueryTimeout(100);
        expect(s.getQueryTimeout(), 100, "time-out");
        expect(count(s.executeQuery("FROM range(100000)")), 100000, "rows");
        s.closeOnCompletion();
        expect(s.isCloseOnCompletion(), true, "closeOnCompletion");
      }
    });
    CHECKS.put("catalog and schema of setCatalog and setSchema are the driver's own", c -> {
      update(c, "CREATE SCHEMA IF NOT EXISTS setting");
      c.setCatalog("memory");
      expect(c.getCatalog(), "memory", "catalog");
      c.setSchema("setting");
      expect(c.getSchema(), "setting", "schema");
      // it tells nobody; USE does
      expect(one(c, "SELECT current_schema()"), "main", "schema of a statement");
      update(c, "USE memory.setting");
      expect(one(c, "SELECT current_schema()"), "setting", "after USE");
      update(c, "USE memory.main");
    });
    CHECKS.put("setReadOnly and setNetworkTimeout are the driver's own", c -> {
      c.setReadOnly(true);
      expect(c.isReadOnly(), true, "read only");
      update(c, "CREATE OR REPLACE TABLE setting_r (i INTEGER)", "DROP TABLE setting_r");
      c.setReadOnly(false);
      ExecutorService threads = Executors.newSingleThreadExecutor();
      c.setNetworkTimeout(threads, 60_000);
      expect(c.getNetworkTimeout(), 60_000, "network time-out");
      threads.shutdown();
      expect(one(c, "SELECT 1"), 1, "a statement");
    });
    CHECKS.put("BEGIN, COMMIT and ROLLBACK hold batches together", c -> {
      try (Connection mine = DriverManager.getConnection(url)) {
        update(mine, "CREATE OR REPLACE TABLE setting_b (i INTEGER PRIMARY KEY, s VARCHAR)");
        for (String end : List.of("ROLLBACK", "COMMIT")) {
          update(mine, "BEGIN");
          for (int rows : new int[] {2, 100}) {
            try (PreparedStatement p = mine.prepareStatement("INSERT INTO setting_b VALUES (?, ?)")) {
              for (int i = 0; i < rows; i++) {
                p.setInt(1, rows + i);
                p.setString(2, i % 3 == 0 ? null : "s" + i);
                p.addBatch();
              }
              int[] counts = p.executeBatch();
              int sum = 0;
              for (int count : counts) sum += count;
              expect(sum, rows, "rows of a batch");
            }
          }
          expect(one(mine, "SELECT count(*) FROM setting_b"), 102L, "inside");
          expect(one(c, "SELECT count(*) FROM setting_b"), 0L, "from outside");
          update(mine, end);
        }
        expect(one(c, "SELECT count(*) FROM setting_b"), 102L, "committed");
        expect(one(c, "SELECT count(*) FROM setting_b WHERE s IS NULL"), 35L, "nulls");
      }
      update(c, "DROP TABLE setting_b");
    });
    CHECKS.put("generated keys are refused, RETURNING gives them", c -> {
      update(c, "CREATE SEQUENCE IF NOT EXISTS setting_ids", "CREATE OR REPLACE TABLE setting_g (id INTEGER DEFAULT nextval('setting_ids'), s VARCHAR)");
      expect(c.getMetaData().supportsGetGeneratedKeys(), false, "supportsGetGeneratedKeys");
      String insert = "INSERT INTO setting_g (s) VALUES ('x')";
      notSupported("a prepared statement with keys", () -> c.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS));
      notSupported("a prepared statement with names", () -> c.prepareStatement(insert, new String[] {"id"}));
      notSupported("a prepared statement with numbers", () -> c.prepareStatement(insert, new int[] {1}));
      try (Statement s = c.createStatement()) {
        notSupported("a statement with keys", () -> s.executeUpdate(insert, Statement.RETURN_GENERATED_KEYS));
        notSupported("the keys of a statement", () -> s.getGeneratedKeys());
      }
      expect(one(c, "SELECT count(*) FROM setting_g"), 0L, "nothing has run");
      try (PreparedStatement p = c.prepareStatement("INSERT INTO setting_g (s) VALUES (?) RETURNING id")) {
        for (int i = 1; i <= 3; i++) {
          p.setString(1, "s" + i);
          try (ResultSet r = p.executeQuery()) {
            expect(r.next(), true, "a key");
            expect(r.getInt("id"), i, "key");
          }
        }
      }
      expect(one(c, "SELECT count(*) FROM setting_g"), 3L, "rows");
      update(c, "DROP TABLE setting_g");
    });
    CHECKS.put("what the driver has not is refused", c -> {
      notSupported("savepoints", c::setSavepoint);
      notSupported("calls", () -> c.prepareCall("SELECT 1"));
      notSupported("native SQL", () -> c.nativeSQL("SELECT 1"));
      notSupported("blobs", c::createBlob);
      try (Statement s = c.createStatement()) {
        notSupported("names of cursors", () -> {
          s.setCursorName("x");
          return null;
        });
      }
    });
    CHECKS.put("errors are SQLExceptions with the words of the engine, and the connection goes on", c -> {
      for (String[] each : new String[][] {
          {"SELEC 1", "syntax error at or near"}, {"SELECT * FROM nowhere_at_all", "nowhere_at_all does not exist"}, {"SELECT 'x'::INTEGER", "Could not convert string 'x'"},
          {"SELECT error('häł')", "häł"}}) {
        try (Statement s = c.createStatement()) {
          count(s.executeQuery(each[0]));
          throw new AssertionError(each[0] + " is not refused");
        } catch (SQLException error) {
          if (!String.valueOf(error.getMessage()).contains(each[1])) throw new AssertionError(each[0] + ": " + error);
        }
        expect(one(c, "SELECT 1"), 1, "afterwards");
      }
    });
    CHECKS.put("what is told of columns of a result", c -> {
      String sql = "SELECT 1::INTEGER AS \"My Col\", 'x' AS s, 1.5::DECIMAL(12,3) AS d, 1.5::DOUBLE AS f, DATE '2024-02-29' AS da, "
          + "TIMESTAMP '2024-02-29 01:02:03' AS ts, true AS b, '\\x01'::BLOB AS bl, NULL AS n";
      Object[][] wanted = {{"My Col", Types.INTEGER, 0, 0}, {"s", Types.VARCHAR, Integer.MAX_VALUE, 0}, {"d", Types.DECIMAL, 12, 3}, {"f", Types.DOUBLE, 0, 0},
          {"da", Types.DATE, 0, 0}, {"ts", Types.TIMESTAMP, 0, 0}, {"b", Types.BOOLEAN, 0, 0}, {"bl", Types.VARBINARY, Integer.MAX_VALUE, 0}};
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql); PreparedStatement p = c.prepareStatement(sql)) {
        for (ResultSetMetaData m : List.of(r.getMetaData(), p.getMetaData())) {
          expect(m.getColumnCount(), 9, "columns");
          for (int i = 1; i <= wanted.length; i++) {
            Object[] each = wanted[i - 1];
            expect(m.getColumnLabel(i), each[0], "label");
            expect(m.getColumnName(i), each[0], "name");
            expect(m.getColumnType(i), each[1], "type of " + each[0]);
            if (m.getColumnTypeName(i).isEmpty()) throw new AssertionError("no name of the type of " + each[0]);
            expect(m.getPrecision(i), each[2], "precision of " + each[0]);
            expect(m.getScale(i), each[3], "scale of " + each[0]);
          }
        }
        expect(r.findColumn("my col"), 1, "a column in another case");
        expect(r.getType(), ResultSet.TYPE_FORWARD_ONLY, "type");
        expect(r.getConcurrency(), ResultSet.CONCUR_READ_ONLY, "concurrency");
      }
    });
    CHECKS.put("the metadata that browsers of databases ask for", c -> {
      update(c, "CREATE OR REPLACE TABLE setting_m (id INTEGER PRIMARY KEY, \"a_b%\" VARCHAR DEFAULT 'x', d DECIMAL(9,2) NOT NULL)", "CREATE OR REPLACE VIEW setting_v AS FROM setting_m");
      DatabaseMetaData m = c.getMetaData();
      expect(m.getDatabaseProductName(), "DuckDB", "product");
      expect(m.getIdentifierQuoteString(), "\"", "quotes");
      expect(m.getSearchStringEscape(), "\\", "escape");
      expect(m.getCatalogTerm().isEmpty(), false, "catalog term");
      expect(m.getSchemaTerm().isEmpty(), false, "schema term");
      expect(m.getSQLKeywords().contains(","), true, "keywords");
      expect(m.getNumericFunctions().contains("abs"), true, "numeric functions");
      expect(m.getStringFunctions().contains("upper"), true, "string functions");
      expect(m.supportsSchemasInDataManipulation(), true, "schemas");
      expect(m.supportsCatalogsInDataManipulation(), true, "catalogs");
      expect(m.supportsBatchUpdates(), true, "batches");
      try (ResultSet r = m.getColumns("memory", "main", "setting\\_m", "%")) {
        String[] names = {"id", "a_b%", "d"};
        for (int i = 0; i < 3; i++) {
          expect(r.next(), true, "a column");
          expect(r.getString("TABLE_CAT"), "memory", "catalog");
          expect(r.getString("TABLE_SCHEM"), "main", "schema");
          expect(r.getString("TABLE_NAME"), "setting_m", "table");
          expect(r.getString("COLUMN_NAME"), names[i], "name");
          expect(r.getInt("ORDINAL_POSITION"), i + 1, "position");
          expect(r.getString("IS_NULLABLE"), i == 1 ? "YES" : "NO", "nullable");
        }
        expect(r.next(), false, "more columns");
      }
      try (ResultSet r = m.getPrimaryKeys("memory", "main", "setting_m")) {
        expect(r.next(), true, "a key");
        expect(r.getString("COLUMN_NAME"), "id", "key");
        expect(r.getInt("KEY_SEQ"), 1, "number");
      }
      // the driver knows these questions and sends none of them: empty, with the columns that JDBC names
      for (Work each : List.<Work>of(() -> m.getTypeInfo(), () -> m.getFunctions(null, null, "%"), () -> m.getProcedures(null, null, "%"),
          () -> m.getIndexInfo(null, null, "setting_m", false, true), () -> m.getBestRowIdentifier(null, null, "setting_m", 1, true),
          () -> m.getVersionColumns(null, null, "setting_m"), () -> m.getUDTs(null, null, "%", null), () -> m.getSuperTables(null, null, "%"))) {
        ResultSet rows = (ResultSet) each.run();
        expect(count(rows), 0, "rows");
      }
      update(c, "DROP VIEW setting_v", "DROP TABLE setting_m");
    });
    CHECKS.put("a pool that checks by isValid and sets everything, 16 threads", c -> {
      update(c, "CREATE OR REPLACE TABLE setting_p (i BIGINT)");
      HikariConfig config = new HikariConfig();
      config.setDriverClassName("org.apache.arrow.driver.jdbc.ArrowFlightJdbcDriver");
      config.setJdbcUrl(url);
      config.setMaximumPoolSize(5);
      config.setCatalog("memory");
      config.setSchema("main");
      config.setReadOnly(false);
      config.setConnectionInitSql("SELECT 1");
      config.setConnectionTimeout(120_000);
      config.setValidationTimeout(60_000);
      try (HikariDataSource pool = new HikariDataSource(config)) {
        ExecutorService threads = Executors.newFixedThreadPool(16);
        AtomicInteger cancelled = new AtomicInteger();
        try {
          List<Future<?>> all = new ArrayList<>();
          for (int i = 0; i < 200; i++) {
            int number = i;
            all.add(threads.submit(() -> {
              try (Connection each = pool.getConnection()) {
                expect(each.isValid(60), true, "valid");
                each.setReadOnly(number % 2 == 0);
                each.setSchema("main");
                each.setCatalog("memory");
                if (number % 20 == 0) {
                  try (Statement s = each.createStatement()) {
                    s.executeQuery("SELECT error('on purpose')").next();
                  } catch (SQLException error) {
                    cancelled.incrementAndGet();
                  }
                }
                try (PreparedStatement p = each.prepareStatement("INSERT INTO setting_p VALUES (?)"); Statement s = each.createStatement()) {
                  p.setLong(1, number);
                  expect(p.executeUpdate(), 1, "inserted");
                  // left half-way
                  ResultSet r = s.executeQuery("FROM range(1000000)");
                  expect(r.next(), true, "a row");
                }
              }
              return null;
            }));
          }
          for (Future<?> each : all) each.get(5, TimeUnit.MINUTES);
        } finally {
          threads.shutdown();
        }
        expect(cancelled.get(), 10, "errors");
        expect(pool.getHikariPoolMXBean().getActiveConnections(), 0, "connections in use");
      }
      expect(one(c, "SELECT count(DISTINCT i) FROM setting_p"), 200L, "rows");
      update(c, "DROP TABLE setting_p");
    });
    CHECKS.put("many statements are cancelled from other threads, and their connections go on", c -> {
      ExecutorService threads = Executors.newFixedThreadPool(8);
      try {
        List<Future<String>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
          all.add(threads.submit(() -> {
            try (Connection mine = DriverManager.getConnection(url); Statement s = mine.createStatement()) {
              Thread canceller = new Thread(() -> {
                try {
                  while (!s.isClosed()) {
                    Thread.sleep(300);
                    s.cancel();
                  }
                } catch (Exception over) {
                  // the statement is closed
                }
              });
              canceller.start();
              String message = "it came to its end";
              try (ResultSet r = s.executeQuery("SELECT count(*) FROM range(1000000000000) a WHERE a.range % 7 = 3")) {
                r.next();
              } catch (SQLException error) {
                message = "refused";
              }
              s.close();
              canceller.join();
              expect(one(mine, "SELECT 42"), 42, "afterwards");
              return message;
            }
          }));
        }
        for (Future<String> each : all) expect(each.get(5, TimeUnit.MINUTES), "refused", "a cancelled statement");
      } finally {
        threads.shutdown();
      }
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
