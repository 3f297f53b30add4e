/*
 * The conversation of ../conversation.mjs by the WebSocket of Java's own HttpClient, which offers no
 * compression: java Peer.java ADDRESS [CERTIFICATES]
 */
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Peer implements WebSocket.Listener {
    static final int MIB = 1024 * 1024;
    static final int PATIENCE_S = 30;

    record Close(int code, String reason) {}

    final BlockingQueue<Object> heard = new LinkedBlockingQueue<>(); /* String, byte[], Close, Throwable */
    final StringBuilder text = new StringBuilder();
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    WebSocket socket;

    @Override
    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
        text.append(part);
        if (last) {
            heard.add(text.toString());
            text.setLength(0);
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket from, ByteBuffer part, boolean last) {
        byte[] copy = new byte[part.remaining()];
        part.get(copy);
        bytes.writeBytes(copy);
        if (last) {
            heard.add(bytes.toByteArray());
            bytes.reset();
        }
        from.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
        heard.add(new Close(code, reason));
        return null;
    }

    @Override
    public void onError(WebSocket from, Throwable error) {
        heard.add(error);
    }

    Object next() throws Exception {
        Object what = heard.poll(PATIENCE_S, TimeUnit.SECONDS);
        if (what == null) throw new Exception("nothing came");
        if (what instanceof Throwable error) throw new Exception("instead of an answer", error);
        return what;
    }

    void expect(Object wanted, String what) throws Exception {
        Object got = next();
        boolean same = wanted instanceof byte[] a && got instanceof byte[] b ? Arrays.equals(a, b)
                                                                            : wanted.equals(got);
        if (!same) throw new Exception(what + ": not what was expected");
    }

    static Peer dial(HttpClient client, String address) throws Exception {
        Peer peer = new Peer();
        peer.socket = client.newWebSocketBuilder().buildAsync(URI.create(address), peer)
                          .get(PATIENCE_S, TimeUnit.SECONDS);
        return peer;
    }

    static HttpClient client(String certificates) throws Exception {
        if (certificates == null) return HttpClient.newHttpClient();
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int count = 0;
        try (FileInputStream file = new FileInputStream(certificates)) {
            for (var each : CertificateFactory.getInstance("X.509").generateCertificates(file))
                store.setCertificateEntry("trusted" + count++, each);
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, trust.getTrustManagers(), null);
        return HttpClient.newBuilder().sslContext(tls).build();
    }

    static void echoes(HttpClient client, String address) throws Exception {
        Peer peer = dial(client, address + "/echo");
        for (String text : new String[] { "Grüße €", "", "0123456789abcdef".repeat(MIB / 16) }) {
            peer.socket.sendText(text, true).get();
            peer.expect(text, "text of " + text.length());
        }
        byte[] bytes = new byte[MIB];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) (i * 31);
        peer.socket.sendBinary(ByteBuffer.wrap(bytes), true).get();
        peer.expect(bytes, "1 MiB of bytes");
        peer.socket.sendText("in ", false).get();
        peer.socket.sendText("three ", false).get();
        peer.socket.sendText("parts", true).get();
        peer.expect("in three parts", "fragments");
        peer.socket.sendClose(4002, "done").get();
        /* The reason of an answer to a close is empty. */
        peer.expect(new Close(4002, ""), "the answer to our close");
    }

    static void isClosed(HttpClient client, String address) throws Exception {
        Peer told = dial(client, address + "/ends");
        told.socket.sendText("4001 enough", true).get();
        told.expect(new Close(4001, "enough"), "the close of the script");
        Peer big = dial(client, address + "/ends");
        big.socket.sendBinary(ByteBuffer.allocate(2000), true).get();
        if (!(big.next() instanceof Close close) || close.code() != 1009)
            throw new Exception("no 1009");
    }

    public static void main(String[] args) throws Exception {
        HttpClient client = client(args.length > 1 ? args[1] : null);
        echoes(client, args[0]);
        isClosed(client, args[0]);
        System.exit(0); /* its threads may live on for a while */
    }
}
