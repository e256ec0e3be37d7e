using Headstart.Models;
using Headstart.Operations;
using Headstart.Reports;
using Headstart.Versions;
using Headstart.Web.Parts;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using MudBlazor;

namespace Headstart.Web;

/// <summary>Base of the image and text pages: listens for uploads and loads the newest report.</summary>
public abstract class ExamplesPage : ModelPage
{
    private DotNetObjectReference<ExamplesPage>? _self;

    [Inject] private IDialogService Dialogs { get; set; } = default!;

    /// <summary>The report of the newest version; null if there is none.</summary>
    protected Report? Report { get; private set; }

    protected override async Task LoadAsync()
    {
        _self = DotNetObjectReference.Create(this);
        await Scripts.InvokeVoidAsync("headstart.listen", _self);
        await LoadExamplesAsync();
        if ((await Api.GetAsync<Page<VersionResponse>>($"{Path}/versions?limit=1")).Value is { Items: [var newest] })
        {
            Report = (await Api.GetAsync<Report>($"{Path}/versions/{newest.Number}/report")).Value;
        }
    }

    protected abstract Task LoadExamplesAsync();

    /// <summary>Loads examples added since the last load.</summary>
    protected abstract Task LoadNewAsync();

    /// <summary>Called by uploads.js after each upload.</summary>
    [JSInvokable]
    public async Task Uploaded(Guid model)
    {
        if (model == Id)
        {
            await CameAsync();
            StateHasChanged();
        }
    }

    /// <summary>Reloads after examples or categories were added.</summary>
    protected async Task CameAsync()
    {
        await LoadModelAsync();
        await LoadNewAsync();
    }

    protected async Task AddCategoryAsync()
    {
        var dialog = await Dialogs.ShowAsync<TextDialog>("Add category",
            new DialogParameters<TextDialog> { { d => d.Label, "Name" }, { d => d.Do, "Add" } });
        if (await dialog.Result is { Canceled: false, Data: string name }
            && Worked(await Api.PatchAsync<ModelResponse>(Path,
                new { categories = Model!.Categories.Select(c => c.Name).Append(name.Trim()) })))
        {
            await LoadModelAsync();
        }
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_self is not null)
        {
            try
            {
                await Scripts.InvokeVoidAsync("headstart.forget", _self);
            }
            catch (JSDisconnectedException)
            {
                // The browser is gone, and its listeners with it.
            }

            _self.Dispose();
        }

        await base.DisposeAsync();
    }
}
