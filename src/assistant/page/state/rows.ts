import { onBeforeUnmount, onMounted, shallowRef, type Ref } from 'vue'
import { RowHeights } from './row-heights.ts'

type Parts = { scroller: Ref<HTMLElement | null>; canvas: Ref<HTMLElement | null>; block: Ref<HTMLElement | null> }
type List = {
  count: () => number
  /** Rows keep their height by their key when the list changes; keys ascend. */
  keyAt: (index: number) => number
  indexOf: (key: number) => number
  usualPx: number
  /** Rows beyond what is in sight, so that scrolling finds them ready. */
  overscan: number
  /** Whether the end of the list is what stays in sight. */
  sticks?: () => boolean
}

/**
 * A long list of which only the rows in sight are there: `scroller` scrolls, `canvas` is as high as all of them, `block` has those of
 * `shown`, one below the other, each with its key as `data-key`; `measure` is to be called when they are there. What is in sight stays where it is when rows above turn out higher, or go.
 */
export function useRows({ scroller, canvas, block }: Parts, list: List) {
  const heights = new RowHeights(list.usualPx)
  const shown = shallowRef({ first: 0, last: -1 })
  let anchor: { key: number; within: number } | undefined
  let width = 0
  let top = 0

  function look(): void {
    const element = scroller.value
    const count = list.count()
    if (!element || count === 0) {
      anchor = undefined
      shown.value = { first: 0, last: -1 }
      return
    }
    top = element.scrollTop
    const seen = heights.indexAt(top)
    anchor = { key: list.keyAt(seen), within: top - heights.offset(seen) }
    const first = Math.max(0, seen - list.overscan)
    const last = Math.min(count - 1, heights.indexAt(top + element.clientHeight) + list.overscan)
    if (first !== shown.value.first || last !== shown.value.last) shown.value = { first, last }
    place()
  }

  // Past Vue: what stands where has to be so before the browser is asked to scroll there.
  function place(): void {
    if (canvas.value) canvas.value.style.height = `${heights.total}px`
    if (block.value) block.value.style.transform = `translateY(${heights.offset(shown.value.first)}px)`
  }

  function settle(): void {
    const element = scroller.value
    if (!element) return
    if (list.sticks?.()) element.scrollTop = element.scrollHeight
    else if (anchor) {
      const index = list.indexOf(anchor.key)
      const wanted = index < 0 ? element.scrollTop : heights.offset(index) + anchor.within
      if (Math.abs(wanted - element.scrollTop) >= 1) element.scrollTop = wanted
    }
    if (element.scrollTop !== top) look()
  }

  // Rows say themselves which they are: those that are there may be older than what is to be shown.
  function measure(): void {
    let changed = false
    for (const row of block.value?.querySelectorAll<HTMLElement>(':scope > [data-key]') ?? [])
      changed = heights.set(Number(row.dataset.key), row.getBoundingClientRect().height) || changed
    if (!changed) return
    heights.arrange(list.count(), list.indexOf)
    place()
    settle()
  }

  /** The list has changed. */
  function refresh(): void {
    heights.arrange(list.count(), list.indexOf)
    place()
    settle()
    look()
  }

  /** Rows look otherwise than they did. */
  function reset(): void {
    heights.clear()
    refresh()
    measure()
  }

  function scrollTo(index: number): void {
    const element = scroller.value
    if (!element) return
    const start = heights.offset(index)
    const end = heights.offset(index + 1)
    if (start < element.scrollTop) element.scrollTop = start
    else if (end > element.scrollTop + element.clientHeight) element.scrollTop = end - element.clientHeight
    look()
  }

  const observer = new ResizeObserver(() => {
    const now = scroller.value?.clientWidth ?? 0
    if (now !== width) {
      width = now
      reset()
    } else {
      settle()
      look()
    }
  })
  onMounted(() => {
    if (scroller.value) observer.observe(scroller.value)
    width = scroller.value?.clientWidth ?? 0
    refresh()
  })
  onBeforeUnmount(() => observer.disconnect())

  return { shown, look, measure, refresh, reset, scrollTo }
}
