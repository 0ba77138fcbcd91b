import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.flight.*;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.flight.auth.BasicServerAuthHandler;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.flight.auth2.BasicCallHeaderAuthenticator;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.flight.auth2.CallHeaderAuthenticator;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.flight.auth2.GeneratedBearerTokenAuthenticator;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.flight.client.ClientCookieMiddleware;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.flight.grpc.CredentialCallOption;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.FieldVector;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.IntVector;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.dictionary.DictionaryEncoder;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.driver.jdbc.shaded.org.apache.arrow.vector.types.pojo.DictionaryEncoding;

/**
 * Arrow's Java implementation, which is gRPC over Netty, as a plain Flight peer. It is the one inside of the JDBC
 * driver's archive, so that no other needs to be fetched.
 *
 * <p>java -cp DRIVER.jar FlightPeer.java server [--auth basic|handshake] [--cert PEM --key PEM] [--client-ca PEM]
 *
 * <p>java -cp DRIVER.jar FlightPeer.java client GROUP URI [--ca PEM --cert PEM --key PEM]
 */
public final class FlightPeer {
  private static final int LARGE_ROWS = 131_072;
  private static final BufferAllocator ALLOCATOR = new RootAllocator();

  private interface Check {
    void run(FlightClient client) throws Exception;
  }

  private static final Map<String, Map<String, Check>> GROUPS = new LinkedHashMap<>();
  /** The headers that answers had. */
  private static final Map<String, String> RECEIVED = new HashMap<>();

  private static void check(String group, String name, Check check) {
    GROUPS.computeIfAbsent(group, none -> new LinkedHashMap<>()).put(name, check);
  }

  private static void expect(Object actual, Object expected) {
    if (!expected.equals(actual)) throw new AssertionError(actual + " instead of " + expected);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static String text(ArrowBuf buffer) {
    if (buffer == null) return null;
    byte[] copy = new byte[(int) buffer.readableBytes()];
    buffer.getBytes(buffer.readerIndex(), copy);
    return text(copy);
  }

  private static ArrowBuf buffer(String text) {
    ArrowBuf buffer = ALLOCATOR.buffer(text.length());
    buffer.writeBytes(bytes(text));
    return buffer;
  }

  private static String option(String[] args, String name) {
    int at = Arrays.asList(args).indexOf(name);
    return at < 0 ? null : args[at + 1];
  }

  private static List<Integer> numbersOf(VectorSchemaRoot root) {
    List<Integer> values = new ArrayList<>();
    IntVector vector = (IntVector) root.getVector(0);
    for (int row = 0; row < root.getRowCount(); row++) values.add(vector.get(row));
    return values;
  }

  private static void fill(VectorSchemaRoot root, int... values) {
    IntVector vector = (IntVector) root.getVector(0);
    vector.allocateNew(values.length);
    for (int row = 0; row < values.length; row++) vector.set(row, values[row]);
    root.setRowCount(values.length);
  }

  private static void fillLarge(VectorSchemaRoot root, int index) {
    BigIntVector vector = (BigIntVector) root.getVector(0);
    vector.allocateNew(LARGE_ROWS);
    for (int row = 0; row < LARGE_ROWS; row++) vector.set(row, (long) index * LARGE_ROWS + row);
    root.setRowCount(LARGE_ROWS);
  }

  private static VectorSchemaRoot numbersRoot() {
    return VectorSchemaRoot.of(new IntVector("n", ALLOCATOR));
  }

  private static VectorSchemaRoot largeRoot() {
    return VectorSchemaRoot.of(new BigIntVector("n", ALLOCATOR));
  }

  private static VarCharVector words(String... words) {
    VarCharVector vector = new VarCharVector("d", ALLOCATOR);
    vector.allocateNew();
    for (int row = 0; row < words.length; row++) vector.setSafe(row, bytes(words[row]));
    vector.setValueCount(words.length);
    return vector;
  }

  // ---- the client

  private static List<String> ask(FlightClient client, String type, String body, CallOption... options) {
    List<String> answers = new ArrayList<>();
    Iterator<Result> results = client.doAction(new Action(type, bytes(body)), options);
    while (results.hasNext()) answers.add(text(results.next().getBody()));
    return answers;
  }

  private static FlightRuntimeException refused(Runnable call) {
    try {
      call.run();
    } catch (FlightRuntimeException error) {
      return error;
    }
    throw new AssertionError("no error");
  }

  private static FlightDescriptor path(String name) {
    return FlightDescriptor.path(name);
  }

  private static List<Integer> getNumbers(FlightClient client, String ticket) throws Exception {
    List<Integer> all = new ArrayList<>();
    try (FlightStream stream = client.getStream(new Ticket(bytes(ticket)))) {
      while (stream.next()) if (stream.hasRoot()) all.addAll(numbersOf(stream.getRoot()));
    }
    return all;
  }

  static {
    check("all", "asks for information", client -> {
      FlightInfo info = client.getInfo(FlightDescriptor.command(bytes("everything")));
      expect(info.getEndpoints().size(), 2);
      expect(info.getOrdered(), true);
      expect(info.getBytes(), 1L << 40);
      expect(text(info.getAppMetadata()), "info metadata");
      FlightEndpoint first = info.getEndpoints().get(0);
      expect(first.getLocations().get(1).getUri().toString(), "grpc+tls://b.example:2");
      // its seconds are counted twice in Java
      expect(first.getExpirationTime().isPresent(), true);
      expect(text(first.getAppMetadata()), "endpoint metadata");
      expect(client.listActions().iterator().next().getType(), "echo");
      FlightEndpoint renewed = client.renewFlightEndpoint(new RenewFlightEndpointRequest(first));
      expect(renewed.getExpirationTime().isPresent(), true);
      expect(client.cancelFlightInfo(new CancelFlightInfoRequest(info)).getStatus(), CancelStatus.CANCELLED);
    });

    check("all", "reads metadata of batches", client -> {
      List<String> seen = new ArrayList<>();
      try (FlightStream stream = client.getStream(new Ticket(bytes("numbered")))) {
        while (stream.next()) seen.add(String.valueOf(text(stream.getLatestMetadata())));
      }
      expect(seen, List.of("0", "null", "alone", "2"));
    });

    check("all", "puts and gets, and reads answers", client -> {
      List<String> answers = new ArrayList<>();
      try (VectorSchemaRoot root = numbersRoot(); SyncPutListener listener = new SyncPutListener()) {
        FlightClient.ClientStreamListener writer = client.startPut(path("java"), root, listener);
        fill(root, 1, 2);
        writer.putNext(buffer("one"));
        fill(root, 3);
        writer.putNext(buffer("two"));
        writer.completed();
        for (PutResult answer = listener.read(); answer != null; answer = listener.read()) {
          answers.add(text(answer.getApplicationMetadata()));
          answer.close();
        }
        listener.getResult();
      }
      expect(answers, List.of("ack one", "ack two"));
      expect(getNumbers(client, "java"), List.of(1, 2, 3));
      expect(client.getSchema(path("java")).getSchema().getFields().get(0).getName(), "n");
      int flights = 0;
      for (FlightInfo ignored : client.listFlights(new Criteria(bytes("java")))) flights++;
      expect(flights, 1);
    });

    check("all", "sends and reads dictionaries", client -> {
      try (VarCharVector values = words("a", "b", "c"); VarCharVector rows = words("c", "a", "a", "b")) {
        Dictionary dictionary = new Dictionary(values, new DictionaryEncoding(7, false, null));
        DictionaryProvider provider = new DictionaryProvider.MapDictionaryProvider(dictionary);
        FieldVector encoded = (FieldVector) DictionaryEncoder.encode(rows, dictionary);
        try (VectorSchemaRoot root = VectorSchemaRoot.of(encoded)) {
          AsyncPutListener listener = new AsyncPutListener();
          FlightClient.ClientStreamListener writer = client.startPut(path("java-words"), root, provider, listener);
          writer.putNext();
          writer.putNext();
          writer.completed();
          writer.getResult();
        }
      }
      StringBuilder seen = new StringBuilder();
      try (FlightStream stream = client.getStream(new Ticket(bytes("java-words")))) {
        while (stream.next()) {
          FieldVector vector = stream.getRoot().getVector(0);
          long id = vector.getField().getDictionary().getId();
          Dictionary dictionary = stream.getDictionaryProvider().lookup(id);
          try (FieldVector decoded = (FieldVector) DictionaryEncoder.decode(vector, dictionary)) {
            for (int row = 0; row < decoded.getValueCount(); row++) seen.append(decoded.getObject(row));
          }
        }
      }
      expect(seen.toString(), "caabcaab");
    });

    check("all", "reads a large stream, slowly now and then", client -> {
      String wish = System.getenv("PEREGRINE_FOREIGN_MIB");
      long wanted = (wish == null ? 256 : Long.parseLong(wish)) * 16_384;
      long rows = 0;
      try (FlightStream stream = client.getStream(new Ticket(bytes("flood")))) {
        for (int batch = 0; rows < wanted && stream.next(); batch++) {
          rows += stream.getRoot().getRowCount();
          if (batch % 64 == 0) Thread.sleep(20);
        }
        stream.cancel("enough", null);
        drain(stream);
      }
      expect(rows >= wanted, true);
    });

    check("all", "exchanges with a slow reader", client -> {
      int count = 192;
      AtomicInteger written = new AtomicInteger();
      ExecutorService pool = Executors.newSingleThreadExecutor();
      try (FlightClient.ExchangeReaderWriter exchange = client.doExchange(FlightDescriptor.command(bytes("echo")))) {
        FlightClient.ClientStreamListener writer = exchange.getWriter();
        Future<?> writing = pool.submit(() -> {
          try (VectorSchemaRoot root = largeRoot()) {
            writer.start(root);
            for (int index = 0; index < count; index++) {
              while (!writer.isReady()) Thread.sleep(1);
              fillLarge(root, index);
              writer.putNext();
              written.incrementAndGet();
            }
            writer.completed();
          }
          return null;
        });
        Thread.sleep(500);
        if (written.get() == count) throw new AssertionError("all of it was taken though nobody read");
        FlightStream reader = exchange.getReader();
        for (int index = 0; index < count; index++) {
          expect(reader.next(), true);
          expect(((BigIntVector) reader.getRoot().getVector(0)).get(5), (long) index * LARGE_ROWS + 5);
          if (index % 64 == 0) Thread.sleep(20);
        }
        expect(reader.next(), false);
        writing.get();
      } finally {
        pool.shutdownNow();
      }
    });

    check("all", "cancels streams", client -> {
      try (FlightStream stream = client.getStream(new Ticket(bytes("stuck")))) {
        stream.next();
        stream.cancel("enough", null);
        expect(refused(() -> stream.next()).status().code(), FlightStatusCode.CANCELLED);
      }
      while (!ask(client, "running", "stuck").get(0).equals("0")) Thread.sleep(20);
    });

    check("all", "sees codes and details of errors", client -> {
      for (FlightStatusCode code : List.of(
          FlightStatusCode.INTERNAL, FlightStatusCode.NOT_FOUND, FlightStatusCode.UNAUTHENTICATED)) {
        CallStatus status = refused(() -> ask(client, "fail-with-info", code.name())).status();
        expect(status.code(), code);
        expect(status.description().contains("failed with " + code), true);
        expect(Arrays.equals(status.metadata().getByte("grpc-status-details-bin"),
            new byte[] {0, 'i', 'n', 'f', 'o', (byte) 255}), true);
      }
      CallStatus status = refused(() -> {
        try {
          getNumbers(client, "breaks");
        } catch (FlightRuntimeException error) {
          throw error;
        } catch (Exception error) {
          throw new AssertionError(error);
        }
      }).status();
      expect(status.description().contains("broke half-way"), true);
    });

    check("all", "sends and sees headers", client -> {
      FlightCallHeaders headers = new FlightCallHeaders();
      headers.insert("x-test", "one");
      headers.insert("x-test", "two");
      headers.insert("x-test-bin", new byte[] {0, (byte) 255});
      String seen = ask(client, "headers", "", new HeaderCallOption(headers)).get(0);
      expect(seen.contains("\"x-test\":[\"one\",\"two\"]"), true);
      expect(seen.contains("\"x-test-bin\":[\"00ff\"]"), true);
      ask(client, "add-headers", "");
      expect(RECEIVED.get("x-handler"), "header");
    });

    check("all", "has deadlines kept", client -> {
      CallOption soon = CallOptions.timeout(200, TimeUnit.MILLISECONDS);
      expect(refused(() -> ask(client, "sleep", "", soon)).status().code(), FlightStatusCode.TIMED_OUT);
    });

    check("all", "runs many streams at once", client -> {
      ExecutorService pool = Executors.newFixedThreadPool(16);
      List<Future<Integer>> calls = new ArrayList<>();
      for (int call = 0; call < 200; call++) {
        calls.add(pool.submit(() -> {
          int rows = 0;
          try (FlightStream stream = client.getStream(new Ticket(bytes("source:generator")))) {
            while (stream.next()) rows += stream.getRoot().getRowCount();
          }
          return rows;
        }));
      }
      for (Future<Integer> call : calls) expect(call.get(), 3);
      pool.shutdown();
    });

    check("all", "keeps options in a session of a cookie", client -> {
      Map<String, SessionOptionValue> wishes = new HashMap<>();
      wishes.put("depth", SessionOptionValueFactory.makeSessionOptionValue(7L));
      expect(client.setSessionOptions(new SetSessionOptionsRequest(wishes)).hasErrors(), false);
      GetSessionOptionsResult kept = client.getSessionOptions(new GetSessionOptionsRequest());
      expect(kept.getSessionOptions().get("depth"), SessionOptionValueFactory.makeSessionOptionValue(7L));
      expect(client.closeSession(new CloseSessionRequest()).getStatus(), CloseSessionResult.Status.CLOSED);
    });

    check("bearer", "logs in by a header", client -> {
      expect(refused(() -> ask(client, "identity", "")).status().code(), FlightStatusCode.UNAUTHENTICATED);
      expect(refused(() -> client.authenticateBasicToken("alice", "wrong")).status().code(),
          FlightStatusCode.UNAUTHENTICATED);
      CredentialCallOption token = client.authenticateBasicToken("alice", "secret").get();
      expect(ask(client, "identity", "", token), List.of("alice"));
    });

    check("handshake", "logs in by a handshake", client -> {
      expect(refused(() -> ask(client, "identity", "")).status().code(), FlightStatusCode.UNAUTHENTICATED);
      client.authenticateBasic("alice", "secret");
      expect(ask(client, "identity", ""), List.of("alice"));
    });

    check("certificates", "is known by its certificate", client -> expect(ask(client, "identity", ""), List.of("alice")));

    check("drain", "is let finish by a server that stops", client -> {
      expect(getNumbers(client, "drain").size(), 200);
      expect(refused(() -> ask(client, "echo", "")).status().code(), FlightStatusCode.UNAVAILABLE);
    });

    check("unix", "puts and gets", client -> expect(getNumbers(client, "source:table"), List.of(1, 2, 3)));
  }

  private static void drain(FlightStream stream) {
    try {
      while (stream.next()) {
        // whatever came before the end
      }
    } catch (FlightRuntimeException cancelled) {
      expect(cancelled.status().code(), FlightStatusCode.CANCELLED);
    }
  }

  private static final class Listening implements FlightClientMiddleware {
    @Override
    public void onBeforeSendingHeaders(CallHeaders outgoing) {
      outgoing.insert("x-middleware", "of java");
    }

    @Override
    public void onHeadersReceived(CallHeaders incoming) {
      for (String key : incoming.keys()) if (!key.endsWith("-bin")) RECEIVED.put(key, incoming.get(key));
    }

    @Override
    public void onCallCompleted(CallStatus status) {}
  }

  private static void client(String[] args) throws Exception {
    FlightClient.Builder builder = FlightClient.builder(ALLOCATOR, new Location(args[2]))
        .intercept(new ClientCookieMiddleware.Factory())
        .intercept(info -> new Listening());
    if (option(args, "--ca") != null) {
      builder.useTls().trustedCertificates(new FileInputStream(option(args, "--ca")));
      if (option(args, "--cert") != null) {
        builder.clientCertificate(
            new FileInputStream(option(args, "--cert")), new FileInputStream(option(args, "--key")));
      }
    }
    try (FlightClient client = builder.build()) {
      for (Map.Entry<String, Check> each : GROUPS.get(args[1]).entrySet()) {
        try {
          each.getValue().run(client);
          System.out.println("ok " + each.getKey());
        } catch (Throwable error) {
          StackTraceElement at = Arrays.stream(error.getStackTrace())
              .filter(frame -> frame.getClassName().startsWith("FlightPeer")).findFirst().orElse(null);
          System.out.println("failed " + each.getKey() + ": " + String.valueOf(error).replace('\n', ' ') + " at " + at);
        }
      }
    }
  }

  // ---- the server: whatever src/foreign/server-checks.ts asks for

  private static final FlightServerMiddleware.Key<Headers> HEADERS = FlightServerMiddleware.Key.of("headers");

  private static final class Headers implements FlightServerMiddleware {
    private final CallHeaders incoming;

    private Headers(CallHeaders incoming) {
      this.incoming = incoming;
    }

    @Override
    public void onBeforeSendingHeaders(CallHeaders outgoing) {
      outgoing.insert("x-answer", "netty");
    }

    @Override
    public void onCallCompleted(CallStatus status) {}

    @Override
    public void onCallErrored(Throwable error) {}
  }

  private static FlightRuntimeException failure(FlightStatusCode code, String description) {
    ErrorFlightMetadata metadata = new ErrorFlightMetadata();
    metadata.insert("grpc-status-details-bin", new byte[] {1, 0, (byte) 255});
    metadata.insert("x-why", "asked");
    CallStatus status = new CallStatus(code, null, description, metadata);
    return status.toRuntimeException();
  }

  private static final class Producer extends NoOpFlightProducer {
    private final AtomicInteger running = new AtomicInteger();
    private volatile FlightServer server;

    private FlightInfo info(FlightDescriptor descriptor) {
      String name = descriptor.getPath().get(0);
      if (name.equals("none")) throw CallStatus.NOT_FOUND.withDescription("there is no none").toRuntimeException();
      FlightEndpoint endpoint = FlightEndpoint.builder(new Ticket(bytes(name))).setAppMetadata(bytes("of endpoint")).build();
      try (VectorSchemaRoot root = numbersRoot()) {
        return FlightInfo.builder(root.getSchema(), descriptor, List.of(endpoint))
            .setRecords(3).setOrdered(true).setAppMetadata(bytes("of info")).build();
      }
    }

    @Override
    public FlightInfo getFlightInfo(CallContext context, FlightDescriptor descriptor) {
      return info(descriptor);
    }

    @Override
    public void listFlights(CallContext context, Criteria criteria, StreamListener<FlightInfo> listener) {
      listener.onNext(info(path("numbers")));
      listener.onNext(info(path("metadata")));
      listener.onCompleted();
    }

    @Override
    public void listActions(CallContext context, StreamListener<ActionType> listener) {
      listener.onNext(new ActionType("echo", "gives the body back"));
      listener.onCompleted();
    }

    /** In a thread of its own: that of the call is the one that tells when there is room, and of its end. */
    private void send(ServerStreamListener listener, VectorSchemaRoot root, int count, Batch batch) {
      new Thread(() -> sendHere(listener, root, count, batch)).start();
    }

    private void sendHere(ServerStreamListener listener, VectorSchemaRoot root, int count, Batch batch) {
      BackpressureStrategy.CallbackBackpressureStrategy pressure =
          new BackpressureStrategy.CallbackBackpressureStrategy();
      pressure.register(listener);
      try (root) {
        listener.start(root);
        for (int index = 0; index < count; index++) {
          if (pressure.waitForListener(0) != BackpressureStrategy.WaitResult.READY) return;
          batch.put(index);
        }
        listener.completed();
      } catch (InterruptedException error) {
        listener.error(error);
      }
    }

    private interface Batch {
      void put(int index) throws InterruptedException;
    }

    @Override
    public void getStream(CallContext context, Ticket ticket, ServerStreamListener listener) {
      String[] parts = text(ticket.getBytes()).split(":");
      switch (parts[0]) {
        case "numbers": {
          VectorSchemaRoot root = numbersRoot();
          send(listener, root, 1, index -> {
            fill(root, 1, 2, 3);
            listener.putNext();
          });
          return;
        }
        case "metadata": {
          VectorSchemaRoot root = numbersRoot();
          send(listener, root, 3, index -> {
            fill(root, index);
            listener.putNext(buffer(String.valueOf(index)));
          });
          return;
        }
        case "large": {
          VectorSchemaRoot root = largeRoot();
          send(listener, root, Integer.parseInt(parts[1]), index -> {
            fillLarge(root, index);
            listener.putNext();
          });
          return;
        }
        case "midway": {
          try (VectorSchemaRoot root = numbersRoot()) {
            listener.start(root);
            fill(root, 1, 2);
            listener.putNext();
            listener.error(failure(FlightStatusCode.INTERNAL, "broke midway"));
          }
          return;
        }
        case "dictionary": {
          try (VarCharVector values = words("a", "b", "c", "d"); VarCharVector rows = words("a", "b", "a", "c", "b", "d", "a")) {
            Dictionary dictionary = new Dictionary(values, new DictionaryEncoding(7, false, null));
            try (VectorSchemaRoot root = VectorSchemaRoot.of((FieldVector) DictionaryEncoder.encode(rows, dictionary))) {
              listener.start(root, new DictionaryProvider.MapDictionaryProvider(dictionary));
              listener.putNext();
              listener.completed();
            }
          }
          return;
        }
        case "endless": {
          VectorSchemaRoot root = largeRoot();
          running.incrementAndGet();
          new Thread(() -> {
            sendHere(listener, root, Integer.MAX_VALUE, index -> {
              fillLarge(root, index);
              listener.putNext();
            });
            running.decrementAndGet();
          }).start();
          return;
        }
        case "silent": {
          running.incrementAndGet();
          listener.setOnCancelHandler(() -> running.decrementAndGet());
          return;
        }
        case "drain": {
          VectorSchemaRoot root = numbersRoot();
          send(listener, root, 200, index -> {
            if (index == 1) server.shutdown();
            Thread.sleep(5);
            fill(root, index);
            listener.putNext();
          });
          return;
        }
        default:
          listener.error(CallStatus.NOT_FOUND.withDescription("no ticket " + parts[0]).toRuntimeException());
      }
    }

    @Override
    public Runnable acceptPut(CallContext context, FlightStream stream, StreamListener<PutResult> answers) {
      return () -> {
        boolean slow = stream.getDescriptor().getPath().get(0).equals("slow");
        while (stream.next()) {
          try {
            if (slow) Thread.sleep(10);
          } catch (InterruptedException error) {
            throw new IllegalStateException(error);
          }
          int rows = stream.hasRoot() ? stream.getRoot().getRowCount() : 0;
          try (ArrowBuf answer = buffer(rows + ":" + String.valueOf(text(stream.getLatestMetadata())))) {
            answers.onNext(PutResult.metadata(answer));
          }
        }
        answers.onCompleted();
      };
    }

    @Override
    public void doExchange(CallContext context, FlightStream reader, ServerStreamListener writer) {
      VectorSchemaRoot root = reader.getRoot();
      BackpressureStrategy.CallbackBackpressureStrategy pressure =
          new BackpressureStrategy.CallbackBackpressureStrategy();
      pressure.register(writer);
      boolean begun = false;
      while (reader.next()) {
        // not before the first batch: dictionaries go with the schema, and have come by now
        if (!begun) writer.start(root, reader.getDictionaryProvider());
        begun = true;
        if (pressure.waitForListener(0) != BackpressureStrategy.WaitResult.READY) return;
        ArrowBuf metadata = reader.getLatestMetadata();
        if (metadata != null) metadata.getReferenceManager().retain();
        if (metadata == null) writer.putNext();
        else writer.putNext(metadata);
      }
      writer.completed();
    }

    @Override
    public void doAction(CallContext context, Action action, StreamListener<Result> listener) {
      CallHeaders headers = context.getMiddleware(HEADERS).incoming;
      List<byte[]> answers = new ArrayList<>();
      switch (action.getType()) {
        case "echo":
          answers.add(action.getBody());
          break;
        case "count":
          for (int n = 0; n < Integer.parseInt(text(action.getBody())); n++) answers.add(bytes(String.valueOf(n)));
          break;
        case "running":
          answers.add(bytes(String.valueOf(running.get())));
          break;
        case "identity":
          answers.add(bytes(context.peerIdentity()));
          break;
        case "headers":
          for (String value : headers.getAll("x-test")) answers.add(bytes(value));
          break;
        case "binary":
          answers.add(headers.getByte("x-test-bin"));
          break;
        case "fail": {
          FlightStatusCode code = text(action.getBody()).equals("5") ? FlightStatusCode.NOT_FOUND : FlightStatusCode.INTERNAL;
          listener.onError(failure(code, "failed as asked"));
          return;
        }
        default:
          listener.onError(CallStatus.UNIMPLEMENTED.withDescription("no action " + action.getType()).toRuntimeException());
          return;
      }
      for (byte[] answer : answers) listener.onNext(new Result(answer));
      listener.onCompleted();
    }
  }

  private static void server(String[] args) throws Exception {
    boolean tls = option(args, "--cert") != null;
    String unix = option(args, "--unix");
    Location location = unix != null ? Location.forGrpcDomainSocket(unix)
        : tls ? Location.forGrpcTls("127.0.0.1", 0) : Location.forGrpcInsecure("127.0.0.1", 0);
    Producer producer = new Producer();
    FlightServer.Builder builder = FlightServer.builder(ALLOCATOR, location, producer)
        .middleware(HEADERS, (info, incoming, context) -> new Headers(incoming));
    if (tls) {
      InputStream cert = new FileInputStream(option(args, "--cert"));
      builder.useTls(cert, new FileInputStream(option(args, "--key")));
      if (option(args, "--client-ca") != null) {
        builder.useMTlsClientVerification(new FileInputStream(option(args, "--client-ca")));
      }
    }
    if ("basic".equals(option(args, "--auth"))) {
      builder.headerAuthenticator(new GeneratedBearerTokenAuthenticator(
          new BasicCallHeaderAuthenticator((name, password) -> {
            if (!name.equals("alice") || !password.equals("secret")) {
              throw CallStatus.UNAUTHENTICATED.withDescription("wrong name or password").toRuntimeException();
            }
            return (CallHeaderAuthenticator.AuthResult) () -> name;
          })));
    }
    if ("handshake".equals(option(args, "--auth"))) {
      builder.authHandler(new BasicServerAuthHandler(new BasicServerAuthHandler.BasicAuthValidator() {
        @Override
        public byte[] getToken(String name, String password) {
          if (!password.equals("secret")) throw CallStatus.UNAUTHENTICATED.toRuntimeException();
          return bytes("token of " + name);
        }

        @Override
        public java.util.Optional<String> isValid(byte[] token) {
          String text = text(token);
          return text.startsWith("token of ") ? java.util.Optional.of(text.substring(9)) : java.util.Optional.empty();
        }
      }));
    }
    FlightServer server = builder.build().start();
    producer.server = server;
    System.out.println("listening on " + (unix != null ? 0 : server.getPort()));
    server.awaitTermination();
  }

  public static void main(String[] args) throws Exception {
    if (args[0].equals("--list")) {
      GROUPS.forEach((group, checks) -> checks.keySet().forEach(name -> System.out.println(group + "\t" + name)));
    } else if (args[0].equals("server")) {
      server(args);
    } else {
      client(args);
      System.exit(0);
    }
  }
}
