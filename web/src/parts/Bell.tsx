import { notices, seenUntil, unseen } from "../lib/notices";
import { useStore } from "../lib/store";

/** The way to the notices, with how many are new. */
export function Bell() {
  const count = unseen(useStore(notices), useStore(seenUntil)).length;
  return (
    <a className="bell" href="#/notices" aria-label={count ? `Notifications, ${count} new` : "Notifications"}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path
          d="M8 1.5a4 4 0 0 0-4 4V8L2.5 11h11L12 8V5.5a4 4 0 0 0-4-4ZM6.5 12.5a1.5 1.5 0 0 0 3 0"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.3"
          strokeLinejoin="round"
        />
      </svg>
      {count > 0 && <span className="count">{count > 99 ? "99+" : count}</span>}
    </a>
  );
}
