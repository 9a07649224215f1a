# delay_relay.py - join two network namespaces by a link with latency, where the kernel has no netem.
#
#   delay_relay.py NAMESPACE NAMESPACE SECONDS
#
# Each namespace must have a TUN device named pxr. What is sent on one arrives on the other after so many
# seconds, in order. It runs until it is killed. Needs root.
import collections, ctypes, fcntl, os, select, struct, sys, time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
libc = ctypes.CDLL(None, use_errno=True)


def tun(namespace):
    with open("/run/netns/" + namespace) as file:
        if libc.setns(file.fileno(), 0):
            sys.exit(namespace + ": " + os.strerror(ctypes.get_errno()))
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"pxr", IFF_TUN | IFF_NO_PI))
    return device


ends = [tun(name) for name in sys.argv[1:3]]
delay = float(sys.argv[3])
waiting = collections.deque()  # (when it is due, where, packet)
while True:
    limit = max(0, waiting[0][0] - time.monotonic()) if waiting else None
    for end in select.select(ends, [], [], limit)[0]:
        waiting.append((time.monotonic() + delay, ends[end == ends[0]], os.read(end, 65536)))
    while waiting and waiting[0][0] <= time.monotonic():
        _, end, packet = waiting.popleft()
        os.write(end, packet)
