/** What was typed is not right; the message says what would be. */
export class UsageError extends Error {}

export const USAGE = `Usage: assistant <command> [options]        (here: npm run assistant -- <command>)

  connect HOST:PORT      TCP client                    tap PORT HOST:PORT   between a device and its target
  listen PORT            TCP server                    run FILE.yaml ...    play scenario files
  udp HOST:PORT          datagrams to there            udp :PORT            datagrams that come here

On a terminal: type lines, /help shows what else. In a pipe: bytes in, bytes out.

What is sent
  --send TEXT            this, in place of what is typed or piped in; --send-file FILE: the bytes of a file
  --hex                  what is sent is HEX, such as 01 03 0A
  --escapes              \\n \\r \\t \\0 \\xHH \\uHHHH mean what they do elsewhere
  --macros               {{counter}} {{counter:hex:4}} {{random:1-100}} {{time}} {{time:HH:mm:ss}}
  --ending E             none, lf, cr or crlf behind each message
  --checksum NAME        crc16-modbus, crc16-ccitt, crc32, sum8 or xor8 behind each message
  --encoding NAME        utf8 (default), gbk, gb18030, latin1 ... in both directions
  --every MS --count N   --send again and again
  --reply 'RE=>TEXT'     answer what fits a regular expression (RE2); $1 is what it captured. Several are tried in turn
  --split N, --delay MS  send in pieces of N bytes, or late

When it ends
  --expect TEXT          once this has come, with exit code 0; also --expect-hex, --expect-regex; several in turn
  --until TEXT           the same; also --until-hex
  --for SECONDS          after so long at the latest (default 10 with --expect); exit code 1 when what is expected has not come
  --idle SECONDS         in a pipe: so long after the last byte, once the input has ended (default 2)
  --half-close           tell the peer when the input has ended
  --keep                 listen: go on when a peer has left

Else
  --show text|hex|both   how bytes are shown           --quiet              nothing but bytes
  --export FILE          the log at the end, as .txt, .csv, .hex, .pcapng or .json (an importable flow)
  --tls                  also --tls-ca FILE, --tls-cert FILE, --tls-key FILE, --servername NAME, --tls-any (any certificate)
  --local ADDRESS        own address                   --reconnect SECONDS  connect: again when it breaks
  --broadcast            udp: to broadcast addresses   --junit FILE         run: results for CI
  --set NAME=VALUE       run: a variable of the file, before the environment's

Exit code 0: done, and what was expected came; 1: it did not, or no connection came about; 2: wrong usage or scenario file.`
