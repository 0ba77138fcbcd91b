import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Apache's JDBC driver for Flight SQL against a server: prints "ok NAME" or "failed NAME: why" for each check.
 *
 * java -cp DRIVER.jar JdbcChecks.java URL
 */
public final class JdbcChecks {
  private interface Check {
    void run(Connection connection) throws Exception;
  }

  private static final Map<String, Check> CHECKS = new LinkedHashMap<>();

  private static void expect(Object actual, Object expected, String what) {
    if (!(expected == null ? actual == null : expected.equals(actual))) {
      throw new AssertionError(what + ": " + actual + " instead of " + expected);
    }
  }

  private static List<String> column(ResultSet rows, String name) throws SQLException {
    List<String> values = new ArrayList<>();
    try (rows) {
      while (rows.next()) values.add(rows.getString(name));
    }
    return values;
  }

  private static void update(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate(sql);
    }
  }

  private static Object one(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
      if (!rows.next()) throw new AssertionError("no row from " + sql);
      return rows.getObject(1);
    }
  }

  /** What each question is asked with: the table jdbc_q, anything else for the rest. */
  private static Object[] argumentsOf(Method method) {
    Class<?>[] types = method.getParameterTypes();
    Object[] values = new Object[types.length];
    for (int i = 0; i < types.length; i++) {
      if (types[i] == String.class && (i == 2 || i == 5)) values[i] = "jdbc_q";
      if (types[i] == boolean.class) values[i] = false;
      if (types[i] == Class.class) values[i] = DatabaseMetaData.class;
      if (types[i] == int.class) values[i] = i == 1 ? ResultSet.CONCUR_READ_ONLY : ResultSet.TYPE_FORWARD_ONLY;
      if (types[i] == int.class && method.getName().equals("supportsTransactionIsolationLevel")) values[i] = Connection.TRANSACTION_REPEATABLE_READ;
      if (types[i] == int.class && method.getName().equals("supportsConvert")) values[i] = Types.INTEGER;
      if (types[i] == int.class && method.getName().equals("getBestRowIdentifier")) values[i] = DatabaseMetaData.bestRowSession;
    }
    return values;
  }

  /** Reads every column of every row: how many rows. */
  private static int readAll(ResultSet rows) throws SQLException {
    int count = 0;
    try (rows) {
      while (rows.next()) {
        count++;
        for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) rows.getObject(i);
      }
    }
    return count;
  }

  static {
    CHECKS.put("select", c -> {
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT 42 AS answer, 'text' AS t, NULL::INTEGER AS n")) {
        expect(r.next(), true, "a row");
        expect(r.getInt("answer"), 42, "answer");
        expect(r.getString("t"), "text", "t");
        r.getInt("n");
        expect(r.wasNull(), true, "n is null");
        expect(r.next(), false, "one row");
      }
    });
    CHECKS.put("many rows", c -> {
      long sum = 0;
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("SELECT range AS i FROM range(200000)")) {
        while (r.next()) sum += r.getLong(1);
      }
      expect(sum, 19999900000L, "sum");
    });
    CHECKS.put("ddl and dml", c -> {
      try (Statement s = c.createStatement()) {
        s.executeUpdate("CREATE TABLE jdbc_t (i INTEGER, s VARCHAR)");
        expect(s.executeUpdate("INSERT INTO jdbc_t VALUES (1, 'a'), (2, 'b'), (3, NULL)"), 3, "inserted");
        expect(s.executeUpdate("UPDATE jdbc_t SET i = i + 10 WHERE i > 1"), 2, "updated");
        expect(s.execute("SELECT count(*) FROM jdbc_t"), true, "execute gives rows");
        expect(s.execute("DELETE FROM jdbc_t WHERE i = 1"), false, "execute gives a count");
        expect(s.getUpdateCount(), 1, "deleted");
        expect(one(c, "SELECT count(*) FROM jdbc_t"), 2L, "left");
        s.executeUpdate("DROP TABLE jdbc_t");
      }
    });
    CHECKS.put("prepared query", c -> {
      try (PreparedStatement p = c.prepareStatement("SELECT ?::INTEGER + 1 AS v, ?::VARCHAR AS s")) {
        for (int i = 0; i < 3; i++) {
          p.setInt(1, i);
          p.setString(2, "s" + i);
          try (ResultSet r = p.executeQuery()) {
            expect(r.next(), true, "a row");
            expect(r.getInt("v"), i + 1, "v");
            expect(r.getString("s"), "s" + i, "s");
          }
        }
      }
    });
    CHECKS.put("prepared where", c -> {
      update(c, "CREATE TABLE jdbc_w AS SELECT range AS i, 'n' || range AS s FROM range(100)");
      try (PreparedStatement p = c.prepareStatement("SELECT s FROM jdbc_w WHERE i = ?")) {
        expect(p.getParameterMetaData().getParameterCount(), 1, "parameters");
        p.setLong(1, 42);
        try (ResultSet r = p.executeQuery()) {
          expect(r.next(), true, "a row");
          expect(r.getString(1), "n42", "s");
        }
      }
      update(c, "DROP TABLE jdbc_w");
    });
    CHECKS.put("prepared update and batch", c -> {
      update(c, "CREATE TABLE jdbc_b (i INTEGER, s VARCHAR, d DOUBLE, t TIMESTAMP)");
      try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc_b VALUES (?, ?, ?, ?)")) {
        p.setInt(1, 1);
        p.setString(2, "one");
        p.setDouble(3, 1.5);
        p.setTimestamp(4, Timestamp.valueOf("2024-02-29 01:02:03.004"));
        expect(p.executeUpdate(), 1, "inserted");
        for (int i = 2; i <= 5; i++) {
          p.setInt(1, i);
          p.setString(2, i % 2 == 0 ? null : "s" + i);
          p.setDouble(3, i);
          p.setTimestamp(4, null);
          p.addBatch();
        }
        p.executeBatch();
      }
      expect(one(c, "SELECT count(*) FROM jdbc_b"), 5L, "rows");
      expect(one(c, "SELECT s FROM jdbc_b WHERE i = 3"), "s3", "s of 3");
      expect(one(c, "SELECT t::VARCHAR FROM jdbc_b WHERE i = 1"), "2024-02-29 01:02:03.004", "t");
      update(c, "DROP TABLE jdbc_b");
    });
    CHECKS.put("types", c -> {
      String sql = "SELECT true AS b, 1::TINYINT AS ti, 2::SMALLINT AS si, 3::INTEGER AS i, 4::BIGINT AS bi, 1.5::FLOAT AS f, "
          + "2.5::DOUBLE AS d, 12.34::DECIMAL(10,2) AS dec, 'x' AS s, '\\x01\\x02'::BLOB AS bl, DATE '2024-02-29' AS da, "
          + "TIME '01:02:03' AS t, TIMESTAMP '2024-02-29 01:02:03.004' AS ts, 170141183460469231731687303715884105727::HUGEINT AS hu, "
          + "18446744073709551615::UBIGINT AS ub, [1, 2] AS l, {'a': 1} AS st, MAP {'k': 1} AS m, uuid() AS u, "
          + "'a'::ENUM('a', 'b')::VARCHAR AS e, INTERVAL 3 DAY AS iv, '{}'::JSON AS j";
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
        ResultSetMetaData m = r.getMetaData();
        expect(m.getColumnCount(), 22, "columns");
        expect(r.next(), true, "a row");
        expect(r.getBoolean("b"), true, "b");
        expect(r.getByte("ti"), (byte) 1, "ti");
        expect(r.getShort("si"), (short) 2, "si");
        expect(r.getLong("bi"), 4L, "bi");
        expect(r.getFloat("f"), 1.5f, "f");
        expect(r.getBigDecimal("dec"), new BigDecimal("12.34"), "dec");
        expect(r.getBytes("bl").length, 2, "bl");
        expect(r.getDate("da").toString(), "2024-02-29", "da");
        expect(r.getTimestamp("ts").toLocalDateTime(), LocalDateTime.parse("2024-02-29T01:02:03.004"), "ts");
        expect(r.getString("e"), "a", "e");
        for (int i = 1; i <= m.getColumnCount(); i++) {
          m.getColumnTypeName(i);
          try {
            r.getObject(i);
          } catch (RuntimeException error) {
            throw new AssertionError(m.getColumnName(i) + ": " + error, error);
          }
        }
      }
    });
    CHECKS.put("enums are their values", c -> {
      update(c, "CREATE TYPE jdbc_mood AS ENUM ('sad', 'ok', 'happy')");
      update(c, "CREATE TABLE jdbc_e (i INTEGER, e jdbc_mood, l jdbc_mood[], s STRUCT(e jdbc_mood, i INTEGER), m MAP(VARCHAR, jdbc_mood))");
      try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc_e VALUES (?, ?, [?], {'e': ?, 'i': 1}, MAP {'k': ?})")) {
        for (int i = 0; i < 3; i++) {
          String mood = new String[] {"happy", null, "sad"}[i];
          p.setInt(1, i);
          for (int k = 2; k <= 5; k++) p.setString(k, mood);
          expect(p.executeUpdate(), 1, "inserted");
        }
      }
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery("FROM jdbc_e ORDER BY i")) {
        expect(r.getMetaData().getColumnType(2), Types.VARCHAR, "type");
        for (String mood : new String[] {"happy", null, "sad"}) {
          String quoted = mood == null ? "null" : '"' + mood + '"';
          expect(r.next(), true, "a row");
          expect(r.getString("e"), mood, "e");
          expect(r.getObject("e"), mood, "object e");
          expect(r.wasNull(), mood == null, "null");
          expect(String.valueOf(((Object[]) r.getArray("l").getArray())[0]), String.valueOf(mood), "in a list");
          expect(r.getString("l"), "[" + quoted + "]", "list");
          expect(r.getString("s"), mood == null ? "{\"i\":1}" : "{\"e\":" + quoted + ",\"i\":1}", "struct");
          expect(r.getString("m"), "{\"k\":" + quoted + "}", "map");
        }
      }
      try (PreparedStatement p = c.prepareStatement("SELECT e, count(*) AS n FROM jdbc_e WHERE e = ? GROUP BY e")) {
        expect(p.getMetaData().getColumnType(1), Types.VARCHAR, "type of a prepared statement");
        p.setString(1, "sad");
        try (ResultSet r = p.executeQuery()) {
          expect(r.next(), true, "a row");
          expect(r.getString(1), "sad", "e = ?");
        }
      }
      try (PreparedStatement p = c.prepareStatement("SELECT ?::jdbc_mood AS e")) {
        p.setString(1, "ok");
        try (ResultSet r = p.executeQuery()) {
          expect(r.next(), true, "a row");
          expect(r.getString(1), "ok", "cast");
        }
      }
      try (ResultSet r = c.getMetaData().getColumns(null, null, "jdbc\\_e", "e")) {
        expect(r.next(), true, "a column");
        expect(r.getInt("DATA_TYPE"), Types.VARCHAR, "type in the catalog");
      }
      long rows = 0;
      String many = "SELECT (['sad', 'ok', NULL])[range % 3 + 1]::jdbc_mood AS e, range FROM range(200000)";
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(many)) {
        while (r.next()) {
          if (rows % 1000 < 3) expect(r.getString(1), new String[] {"sad", "ok", null}[(int) (rows % 3)], "row " + rows);
          rows++;
        }
      }
      expect(rows, 200000L, "rows");
      update(c, "DROP TABLE jdbc_e");
      update(c, "DROP TYPE jdbc_mood");
    });
    CHECKS.put("unsigned integers are their numbers", c -> {
      String sql = "SELECT 255::UTINYINT AS a, 65535::USMALLINT AS b, 4294967295::UINTEGER AS c, 18446744073709551615::UBIGINT AS d, "
          + "[4294967295::UINTEGER] AS l, NULL::UBIGINT AS n";
      try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
        expect(r.next(), true, "a row");
        expect(r.getObject("a").toString(), "255", "UTINYINT");
        expect(r.getString("a"), "255", "text of UTINYINT");
        expect(r.getInt("b"), 65535, "USMALLINT");
        expect(r.getLong("c"), 4294967295L, "UINTEGER");
        expect(r.getObject("d"), new BigDecimal("18446744073709551615"), "UBIGINT");
        expect(r.getString("l"), "[4294967295]", "list");
        expect(r.getObject("n"), null, "null");
      }
    });
    CHECKS.put("a property of the URL asks for something else", c -> {
      try (Connection other = DriverManager.getConnection(c.getMetaData().getURL() + "&x-peregrine-types=arrow")) {
        // the index, which is all that the driver sees of a dictionary
        expect(one(other, "SELECT 'b'::ENUM('a', 'b')").toString(), "1", "index");
      }
    });
    CHECKS.put("metadata of tables", c -> {
      for (String rest : List.of("jdbc_b", "jdbc_w", "jdbc_t")) update(c, "DROP TABLE IF EXISTS " + rest);
      update(c, "CREATE TABLE jdbc_p (id INTEGER, part VARCHAR, PRIMARY KEY (id, part))");
      update(c, "CREATE TABLE jdbc_f (c BIGINT PRIMARY KEY, pid INTEGER NOT NULL, ppart VARCHAR, d DECIMAL(9,2), FOREIGN KEY (pid, ppart) REFERENCES jdbc_p (id, part))");
      update(c, "CREATE VIEW jdbc_v AS SELECT * FROM jdbc_p");
      DatabaseMetaData m = c.getMetaData();
      expect(column(m.getCatalogs(), "TABLE_CAT").contains("memory"), true, "catalogs");
      expect(column(m.getSchemas(), "TABLE_SCHEM").contains("main"), true, "schemas");
      expect(column(m.getTables(null, null, "jdbc\\_%", null), "TABLE_NAME"), List.of("jdbc_f", "jdbc_p", "jdbc_v"), "tables");
      expect(column(m.getTables("memory", "main", "jdbc\\_%", new String[] {"TABLE"}), "TABLE_NAME"), List.of("jdbc_f", "jdbc_p"), "tables by TABLE");
      expect(column(m.getTables(null, null, "jdbc\\_%", new String[] {"VIEW"}), "TABLE_NAME"), List.of("jdbc_v"), "views");
      expect(column(m.getTableTypes(), "TABLE_TYPE"), List.of("BASE TABLE", "LOCAL TEMPORARY", "VIEW"), "table types");
      try (ResultSet r = m.getColumns(null, null, "jdbc\\_f", null)) {
        List<String> names = new ArrayList<>();
        while (r.next()) {
          names.add(r.getString("COLUMN_NAME"));
          if (r.getString("COLUMN_NAME").equals("d")) {
            expect(r.getInt("DATA_TYPE"), Types.DECIMAL, "type of d");
            expect(r.getString("TYPE_NAME"), "DECIMAL", "type name of d");
            expect(r.getInt("COLUMN_SIZE"), 9, "size of d");
            expect(r.getInt("DECIMAL_DIGITS"), 2, "digits of d");
          }
          if (r.getString("COLUMN_NAME").equals("pid")) {
            expect(r.getInt("NULLABLE"), DatabaseMetaData.columnNoNulls, "pid is not null");
          }
        }
        expect(names, List.of("c", "pid", "ppart", "d"), "columns");
      }
      expect(column(m.getPrimaryKeys(null, null, "jdbc_p"), "COLUMN_NAME"), List.of("id", "part"), "primary key");
      // as tools ask that believe storesUpperCaseIdentifiers()
      expect(column(m.getPrimaryKeys(null, null, "JDBC_P"), "COLUMN_NAME"), List.of("id", "part"), "primary key in capitals");
      expect(column(m.getColumns(null, null, "JDBC\\_P", null), "COLUMN_NAME"), List.of("id", "part"), "columns in capitals");
      expect(column(m.getImportedKeys(null, null, "jdbc_f"), "FKCOLUMN_NAME"), List.of("pid", "ppart"), "imported keys");
      expect(column(m.getExportedKeys(null, null, "jdbc_p"), "FKTABLE_NAME"), List.of("jdbc_f", "jdbc_f"), "exported keys");
      expect(column(m.getCrossReference(null, null, "jdbc_p", null, null, "jdbc_f"), "PKCOLUMN_NAME"), List.of("id", "part"), "cross reference");
      update(c, "DROP VIEW jdbc_v");
      update(c, "DROP TABLE jdbc_f");
      update(c, "DROP TABLE jdbc_p");
    });
    CHECKS.put("metadata of the database", c -> {
      DatabaseMetaData m = c.getMetaData();
      expect(m.getDatabaseProductName(), "DuckDB", "name");
      expect(m.getIdentifierQuoteString(), "\"", "quote");
      expect(m.getSearchStringEscape(), "\\", "escape");
      expect(m.supportsTransactions(), true, "transactions");
      expect(m.supportsANSI92EntryLevelSQL(), true, "entry level");
      expect(m.supportsOuterJoins(), true, "outer joins");
      expect(m.supportsFullOuterJoins(), true, "full outer joins");
      expect(m.supportsUnionAll(), true, "union all");
      expect(m.supportsGroupBy(), true, "group by");
      expect(m.supportsCorrelatedSubqueries(), true, "correlated subqueries");
      expect(m.supportsSavepoints(), false, "savepoints");
      expect(m.supportsBatchUpdates(), true, "batches");
      expect(m.isReadOnly(), false, "read only");
      expect(m.getNumericFunctions().contains("sqrt"), true, "numeric functions");
      expect(m.getStringFunctions().contains("upper"), true, "string functions");
      expect(m.getTimeDateFunctions().contains("date_trunc"), true, "time functions");
      expect(m.getSQLKeywords().contains("qualify"), true, "keywords");
      expect(m.supportsConvert(Types.INTEGER, Types.VARCHAR), true, "convert");
      m.getMaxColumnsInTable();
      m.getMaxStatementLength();
      m.getDefaultTransactionIsolation();
      m.supportsResultSetType(ResultSet.TYPE_FORWARD_ONLY);
    });
    CHECKS.put("every question", c -> {
      update(c, "CREATE TABLE jdbc_q (id INTEGER PRIMARY KEY)");
      DatabaseMetaData m = c.getMetaData();
      // the driver's own: it throws "todo" here whatever the server says, and never asks a server for the rows of the others
      List<String> unfinished = List.of("deletesAreDetected", "insertsAreDetected", "othersDeletesAreVisible", "othersInsertsAreVisible",
          "othersUpdatesAreVisible", "ownDeletesAreVisible", "ownInsertsAreVisible", "ownUpdatesAreVisible", "supportsResultSetHoldability", "updatesAreDetected");
      Map<String, Object> expected = new LinkedHashMap<>(Map.of("getSchemas", 1, "getTables", 1, "getColumns", 1, "getPrimaryKeys", 1,
          "getTableTypes", 3, "getCatalogs", 1, "supportsTransactionIsolationLevel", true, "supportsResultSetType", true, "supportsResultSetConcurrency", true));
      List<String> wrong = new ArrayList<>();
      for (Method method : DatabaseMetaData.class.getMethods()) {
        String name = method.getName();
        if (Modifier.isStatic(method.getModifiers()) || unfinished.contains(name)) continue;
        try {
          Object answer = method.invoke(m, argumentsOf(method));
          if (answer instanceof ResultSet rows) answer = readAll(rows);
          if (expected.containsKey(name) && !expected.get(name).equals(answer)) wrong.add(name + " is " + answer);
          if (answer == null && !name.equals("getUserName")) wrong.add(name + " is null");
        } catch (InvocationTargetException error) {
          if (!(error.getCause() instanceof SQLFeatureNotSupportedException)) wrong.add(name + ": " + error.getCause());
        }
      }
      update(c, "DROP TABLE jdbc_q");
      expect(wrong, List.of(), "wrong");
    });
    CHECKS.put("temporary tables and settings stay in the connection", c -> {
      update(c, "CREATE TEMP TABLE jdbc_tmp AS SELECT 7 AS i");
      expect(one(c, "SELECT i FROM jdbc_tmp"), 7, "i");
      update(c, "SET SESSION TimeZone = 'Asia/Tokyo'");
      expect(one(c, "SELECT current_setting('TimeZone')"), "Asia/Tokyo", "time zone");
    });
    CHECKS.put("two results at once", c -> {
      try (Statement a = c.createStatement(); Statement b = c.createStatement()) {
        ResultSet first = a.executeQuery("SELECT range FROM range(50000)");
        first.next();
        ResultSet second = b.executeQuery("SELECT 5");
        second.next();
        expect(second.getInt(1), 5, "second");
        long rows = 1;
        while (first.next()) rows++;
        expect(rows, 50000L, "first");
      }
    });
    CHECKS.put("transactions", c -> {
      update(c, "CREATE TABLE jdbc_x (i INTEGER)");
      try {
        c.setAutoCommit(false);
        update(c, "INSERT INTO jdbc_x VALUES (1)");
        c.rollback();
      } catch (SQLException error) {
        // the driver begins none: it says so, or leaves each statement committed
      } finally {
        c.setAutoCommit(true);
      }
      update(c, "DROP TABLE jdbc_x");
      update(c, "CREATE TABLE jdbc_x (i INTEGER)");
      // by SQL they work in the connection
      update(c, "BEGIN TRANSACTION");
      update(c, "INSERT INTO jdbc_x VALUES (1)");
      expect(one(c, "SELECT count(*) FROM jdbc_x"), 1L, "inside");
      update(c, "ROLLBACK");
      expect(one(c, "SELECT count(*) FROM jdbc_x"), 0L, "after ROLLBACK");
      update(c, "BEGIN TRANSACTION");
      update(c, "INSERT INTO jdbc_x VALUES (2)");
      update(c, "COMMIT");
      expect(one(c, "SELECT count(*) FROM jdbc_x"), 1L, "after COMMIT");
      update(c, "DROP TABLE jdbc_x");
    });
    CHECKS.put("parameters of every type", c -> {
      Map<String, Object[]> given = new LinkedHashMap<>();
      given.put("BOOLEAN", new Object[] {true, "true"});
      given.put("TINYINT", new Object[] {(byte) -5, "-5"});
      given.put("SMALLINT", new Object[] {(short) -500, "-500"});
      given.put("INTEGER", new Object[] {-70000, "-70000"});
      given.put("BIGINT", new Object[] {-(1L << 40), "-1099511627776"});
      given.put("FLOAT", new Object[] {1.5f, "1.5"});
      given.put("DOUBLE", new Object[] {2.25, "2.25"});
      given.put("DECIMAL(10,2)", new Object[] {new BigDecimal("12345678.90"), "12345678.90"});
      given.put("VARCHAR", new Object[] {"h\u00e4\u0142", "h\u00e4\u0142"});
      given.put("BLOB", new Object[] {new byte[] {0, -1}, "\\x00\\xFF"});
      given.put("DATE", new Object[] {java.sql.Date.valueOf("2024-02-29"), "2024-02-29"});
      given.put("TIME", new Object[] {java.sql.Time.valueOf("01:02:03"), "01:02:03"});
      given.put("TIMESTAMP", new Object[] {Timestamp.valueOf("2024-02-29 01:02:03.004"), "2024-02-29 01:02:03.004"});
      List<String> wrong = new ArrayList<>();
      given.forEach((type, value) -> {
        try (PreparedStatement p = c.prepareStatement("SELECT v::VARCHAR FROM (SELECT ?::" + type + " AS v)")) {
          for (int i = 0; i < 2; i++) {
            if (i == 0) p.setObject(1, value[0]);
            else p.setNull(1, p.getParameterMetaData().getParameterType(1));
            try (ResultSet r = p.executeQuery()) {
              r.next();
              Object wanted = i == 0 ? value[1] : null;
              if (!java.util.Objects.equals(r.getString(1), wanted)) wrong.add(type + ": " + r.getString(1));
            }
          }
        } catch (Exception error) {
          wrong.add(type + ": " + error);
        }
      });
      expect(wrong, List.of(), "wrong");
    });
    CHECKS.put("a batch of updates", c -> {
      update(c, "CREATE TABLE jdbc_u AS SELECT range::INTEGER AS i, 'x' AS s FROM range(10)");
      try (PreparedStatement p = c.prepareStatement("UPDATE jdbc_u SET s = ? WHERE i = ?")) {
        for (int i = 0; i < 10; i++) {
          p.setString(1, "n" + i);
          p.setInt(2, i);
          p.addBatch();
        }
        int changed = 0;
        for (int count : p.executeBatch()) changed += count;
        expect(changed, 10, "changed");
      }
      expect(one(c, "SELECT count(*) FROM jdbc_u WHERE s = 'n' || i"), 10L, "rows");
      try (PreparedStatement p = c.prepareStatement("DELETE FROM jdbc_u WHERE i < ?")) {
        p.setInt(1, 4);
        expect(p.executeUpdate(), 4, "deleted");
        p.setInt(1, 6);
        expect(p.executeUpdate(), 2, "deleted then");
      }
      update(c, "DROP TABLE jdbc_u");
    });
    CHECKS.put("catalog and schema of the connection", c -> {
      expect(one(c, "SELECT current_database()"), "memory", "catalog");
      update(c, "CREATE SCHEMA jdbc_s");
      update(c, "USE jdbc_s");
      expect(one(c, "SELECT current_schema()"), "jdbc_s", "schema");
      update(c, "USE memory.main");
      update(c, "DROP SCHEMA jdbc_s");
      update(c, "ATTACH ':memory:' AS jdbc_c");
      Connection other = DriverManager.getConnection(c.getMetaData().getURL() + "&catalog=jdbc_c", "someone", "anything");
      expect(one(other, "SELECT current_database()"), "jdbc_c", "catalog by the URL");
      try {
        other.close();
      } catch (SQLException error) {
        // the driver closes such a session a second time when its channel is gone, and says so
        expect(error.getMessage().contains("Channel shutdown"), true, error.getMessage());
      }
      update(c, "DETACH jdbc_c");
    });
    CHECKS.put("a maximum of rows, and a statement that is cancelled", c -> {
      try (Statement s = c.createStatement()) {
        s.setMaxRows(7);
        int rows = 0;
        try (ResultSet r = s.executeQuery("SELECT range FROM range(1000)")) {
          while (r.next()) rows++;
        }
        expect(rows, 7, "rows");
      }
      try (Statement s = c.createStatement()) {
        Thread cancel = new Thread(() -> {
          try {
            Thread.sleep(500);
            s.cancel();
          } catch (Exception error) {
            // the check below says what is wrong
          }
        });
        cancel.start();
        long begun = System.nanoTime();
        try (ResultSet r = s.executeQuery("SELECT count(*) FROM range(100000000000) a WHERE a.range % 7 = 3")) {
          r.next();
          throw new AssertionError("it was not cancelled");
        } catch (SQLException error) {
          // as it should be
        }
        expect((System.nanoTime() - begun) / 1_000_000_000L < 60, true, "it ended");
        cancel.join();
      }
      expect(one(c, "SELECT 1"), 1, "afterwards");
    });
    CHECKS.put("errors", c -> {
      try {
        one(c, "SELECT * FROM jdbc_nowhere");
        throw new AssertionError("no error");
      } catch (SQLException error) {
        expect(error.getMessage().contains("jdbc_nowhere"), true, error.getMessage());
      }
      expect(one(c, "SELECT 1"), 1, "afterwards");
    });
  }

  public static void main(String[] arguments) throws Exception {
    String url = arguments[0];
    if (url.equals("--list")) {
      CHECKS.keySet().forEach(System.out::println);
      return;
    }
    for (Map.Entry<String, Check> check : CHECKS.entrySet()) {
      if (arguments.length > 1 && !check.getKey().contains(arguments[1])) continue;
      try (Connection connection = DriverManager.getConnection(url, "someone", "anything")) {
        check.getValue().run(connection);
        System.out.println("ok " + check.getKey());
      } catch (Throwable error) {
        Throwable cause = error;
        while (cause.getCause() != null) cause = cause.getCause();
        StackTraceElement[] stack = cause.getStackTrace();
        System.out.println(("failed " + check.getKey() + ": " + error + " <- " + cause + (stack.length > 0 ? " at " + stack[0] : "")).replace('\n', ' '));
      }
    }
    System.exit(0);
  }
}
