import NIOCore
import NIOEmbedded
import Testing

@testable import Outbound

/// Time is turned by hand.
@Suite("Silence of an upstream")
struct SilenceTests {
    private final class Fixture {
        let channel: EmbeddedChannel
        let loop = EmbeddedEventLoop()
        private let caught = Caught()

        private final class Caught: ChannelInboundHandler {
            typealias InboundIn = Any
            var count = 0
            func errorCaught(context: ChannelHandlerContext, error: any Error) { self.count += 1 }
        }

        init() throws {
            self.channel = EmbeddedChannel(loop: self.loop)
            let sync = self.channel.pipeline.syncOperations
            try sync.addHandler(SilenceWatch(patience: .seconds(60), now: self.loop.now), position: .first)
            try sync.addHandler(self.caught)
            try self.channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 80)).wait()
        }

        var isEnded: Bool { self.caught.count > 0 || !self.channel.isActive }
        func pass(_ time: TimeAmount) { self.loop.advanceTime(by: time) }
    }

    @Test("who is asked and says nothing is hung up on, after the whole time and not before")
    func silent() throws {
        let fixture = try Fixture()
        fixture.channel.read()
        fixture.pass(.seconds(59))
        #expect(!fixture.isEnded)
        fixture.pass(.seconds(1))
        #expect(fixture.isEnded)
    }

    @Test("a connection that reads since before it was watched is watched all the same")
    func early() throws {
        let fixture = try Fixture()
        fixture.pass(.seconds(10))
        try fixture.channel.writeOutbound(ByteBuffer(string: "GET"))
        fixture.pass(.seconds(59))
        #expect(!fixture.isEnded)
        fixture.pass(.seconds(1))
        #expect(fixture.isEnded)
    }

    @Test("every byte begins the time anew")
    func slow() throws {
        let fixture = try Fixture()
        for _ in 0..<10 {
            fixture.channel.read()
            fixture.pass(.seconds(50))
            try fixture.channel.writeInbound(ByteBuffer(string: "x"))
        }
        #expect(!fixture.isEnded)
    }

    @Test("while nobody asks for bytes no time passes, and it begins when somebody does")
    func unasked() throws {
        let fixture = try Fixture()
        fixture.channel.read()
        try fixture.channel.writeInbound(ByteBuffer(string: "x"))
        fixture.pass(.hours(1))
        #expect(!fixture.isEnded)
        fixture.channel.read()
        fixture.pass(.seconds(59))
        #expect(!fixture.isEnded)
        fixture.pass(.seconds(2))
        #expect(fixture.isEnded)
    }

    @Test("a kept connection's time counts from its next request on")
    func kept() throws {
        let fixture = try Fixture()
        fixture.channel.read()
        fixture.pass(.seconds(59))
        try fixture.channel.writeOutbound(ByteBuffer(string: "GET"))
        fixture.pass(.seconds(59))
        #expect(!fixture.isEnded)
        fixture.pass(.seconds(1))
        #expect(fixture.isEnded)
    }
}
