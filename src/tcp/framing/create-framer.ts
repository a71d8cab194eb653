import { createDelimiterFramer } from './delimiter.ts'
import { createFixedFramer } from './fixed.ts'
import { createGapFramer } from './gap.ts'
import { createLengthFramer } from './length.ts'
import { createMarkerFramer } from './marker.ts'
import { createSingleFramer } from './single.ts'
import { createStreamFramer } from './stream.ts'
import type { Framer, FramerOptions } from './framing.ts'

/** A framer for one connection. */
export function createFramer(options: FramerOptions): Framer {
  const { framing, maxFrame, onReady } = options
  switch (framing.kind) {
    case 'stream':
      return createStreamFramer()
    case 'single':
      return createSingleFramer(maxFrame)
    case 'delimiter':
      return createDelimiterFramer(framing, maxFrame)
    case 'fixed':
      return createFixedFramer(framing.length)
    case 'length':
      return createLengthFramer(framing, options)
    case 'gap':
      return createGapFramer(framing.ms, maxFrame, onReady)
    case 'marker':
      return createMarkerFramer(framing, maxFrame)
  }
}
