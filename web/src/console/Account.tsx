import { me } from "../lib/api";
import { useStore } from "../lib/store";
import { Audit, Password, Sessions } from "../pages/Account";
import { Confirming } from "../parts/Confirming";
import { Device } from "../parts/Device";
import { Page } from "./parts";

// An operator's own account: the parts of the terminal's.

export default function Account() {
  const user = useStore(me);
  return (
    <Page title="Your account">
      <div className="account column" key={user?.userId}>
        <p className="soft">
          {user?.email}, operator {user?.userId}
        </p>
        <Device />
        <Password />
        <Sessions />
        <Audit />
        <Confirming />
      </div>
    </Page>
  );
}
