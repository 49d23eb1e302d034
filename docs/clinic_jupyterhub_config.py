"""An example of a JupyterHub for staff with accounts of their own beside a study in Clinic mode (clinic_mode.md).

Options that are set here, as the JupyterHub 3.1 documentation names them:

    JupyterHub.bind_url                 where browsers come in: behind a web server that holds the certificate
    JupyterHub.cookie_max_age_days      days until a sign-in to the hub ends
    JupyterHub.authenticator_class      "pam": the accounts of this computer
    JupyterHub.spawner_class            "jupyterhub.spawner.LocalProcessSpawner": servers under people's accounts
    Authenticator.allowed_users         who may come in
    Authenticator.admin_users           who may administer the hub; nobody who is blinded
    Spawner.cmd                         the server of one person
    Spawner.environment                 where the service of the study is heard
    Spawner.default_url                 the first page
"""

c = get_config()  # noqa: F821 - JupyterHub hands it in

# The hub is heard on this computer only; the hospital's web server brings TLS and passes requests on.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.cookie_max_age_days = 0.5

# Everybody has an account of the operating system. The service binds a token to the account that it was given to,
# so that a token that is copied to another one is worth nothing.
c.JupyterHub.authenticator_class = "pam"
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
c.Authenticator.allowed_users = {"okafor", "wu", "he"}
# Whoever administers the hub can start servers of others, and so see what they see.
c.Authenticator.admin_users = {"he"}

c.Spawner.cmd = ["jupyterhub-singleuser"]
# The socket lies in a folder of the group `trial`; the study folder and its keys are the service account's alone.
c.Spawner.environment = {"WORKBENCH_CLINIC": "/run/workbench/trial/socket"}
c.Spawner.default_url = "/lab"
