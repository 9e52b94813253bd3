import { Store, useStore } from "../lib/store";

// Short notes of what was done, or why it was not.

interface Said {
  id: number;
  text: string;
  kind: "good" | "bad";
}

const said = new Store<Said[]>([]);
let count = 0;

export function note(text: string, kind: "good" | "bad" = "good"): void {
  count += 1;
  const id = count;
  said.change((now) => [...now.slice(-2), { id, text, kind }]);
  window.setTimeout(() => drop(id), kind === "bad" ? 9000 : 5000);
}

const drop = (id: number): void => said.change((now) => now.filter((each) => each.id !== id));

export function Notes() {
  return (
    <div className="notes" role="status" aria-live="polite">
      {useStore(said).map((each) => (
        <p key={each.id} className={each.kind}>
          {each.text}
          <button className="plain" aria-label="Dismiss" onClick={() => drop(each.id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  );
}
